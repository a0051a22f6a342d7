"""Prepare WavCaps: see README.md beside this file.

python data/wavcaps/prepare.py FOLDER -o corpora/wavcaps
"""

import sys

from hsmtss_jax.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["data", "prepare", "wavcaps", *sys.argv[1:]]))
