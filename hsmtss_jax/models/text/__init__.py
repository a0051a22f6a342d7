"""Frozen text encoders and their tokenizers."""
