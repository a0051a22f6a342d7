"""How the published sets lie on disk: a function a set that reads its tables."""
