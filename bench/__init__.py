"""Measurements, each in one run on one machine. README.md says what they show."""
