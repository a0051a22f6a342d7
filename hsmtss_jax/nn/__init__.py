"""Neural-network primitives shared by all models."""
