"""TF-Codec: the network, its streams, its discriminator, and what it is as a neural codec."""
