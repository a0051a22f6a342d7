"""Prepare FSD50K: see README.md beside this file.

python data/fsd50k/prepare.py FOLDER -o corpora/fsd50k
"""

import sys

from hsmtss_jax.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["data", "prepare", "fsd50k", *sys.argv[1:]]))
