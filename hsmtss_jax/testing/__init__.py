"""What tests and benchmarks share: random bundles, a tiny corpus, stand-ins for networks."""
