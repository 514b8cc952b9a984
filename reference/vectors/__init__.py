"""Makes the vectors of docs/vectors (its README has their formats): `python -m reference.vectors`.

Keys and coins are fresh each time, so the files are made anew only when the protocol changes.
"""
