"""The parts of one Quarter on one machine, started and ended together.

`run` (run.py) is the whole: refuse early (preflight), make a private place (place), start the parts
(parts, child), keep them alive (supervisor), end them all on a signal (signals).
"""
