"""Suggestions held to real builds; run by hand, as root: ``python -m tests.rebuild``."""
