"""Separate the sound that a sentence asks for: the same code as ``hsmtss separate``."""

import sys

from hsmtss_jax.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["separate", *sys.argv[1:]]))
