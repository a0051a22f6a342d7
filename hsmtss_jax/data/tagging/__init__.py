"""Unified event tags: which sounds a caption names, in one vocabulary for all sets (HSM-TSS section IV-A)."""
