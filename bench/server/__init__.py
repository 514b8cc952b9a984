"""What the server costs: see `python -m bench.server --help` and bench/README.md."""
