"""What tests and measurements of speed share: random bundles, a tiny corpus, stand-ins for networks."""
