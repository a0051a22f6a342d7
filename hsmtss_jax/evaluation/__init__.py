"""Measure what the paper measures, on held-out data: separation, retrieval, probes, captions, codec."""
