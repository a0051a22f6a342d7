"""Prepare ESC-50, as a test set: see README.md beside this file.

python data/esc50/prepare.py FOLDER -o corpora/esc50
"""

import sys

from hsmtss_jax.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["data", "prepare", "esc50", *sys.argv[1:]]))
