"""Adapt a separator to sounds of one's own: clips in, a fine-tuned bundle and a report out."""
