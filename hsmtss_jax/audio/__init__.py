"""Signals: files and levels (``io``, ``level``, ``mel``: numpy only), ``stft`` and ``fbank`` (JAX).

Import the submodule you need; this package imports nothing, so reading files never loads JAX.
"""
