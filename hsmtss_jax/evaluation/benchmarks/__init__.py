"""Benchmarks as pair lists: files that say which recordings are mixed and what is asked for."""
