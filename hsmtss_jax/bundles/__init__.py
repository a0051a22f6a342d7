"""Bundles: what is kept on disk of a trained stage or a whole pipeline, and how it is read."""
