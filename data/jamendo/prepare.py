"""Prepare MTG-Jamendo: see README.md beside this file.

python data/jamendo/prepare.py FOLDER -o corpora/jamendo
"""

import sys

from hsmtss_jax.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["data", "prepare", "jamendo", *sys.argv[1:]]))
