"""The acoustic decoder H3: the network, its decode step and weights, the sampler."""
