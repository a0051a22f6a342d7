"""Prepare AudioCaps: see README.md beside this file.

python data/audiocaps/prepare.py FOLDER -o corpora/audiocaps
"""

import sys

from hsmtss_jax.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["data", "prepare", "audiocaps", *sys.argv[1:]]))
