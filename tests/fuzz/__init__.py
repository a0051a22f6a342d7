"""Damaged and odd recordings, sentences and options: ``python -m tests.fuzz`` counts what goes wrong."""
