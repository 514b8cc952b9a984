"""Django's SQLite, minus one of its kindnesses (base.py)."""
