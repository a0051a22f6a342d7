"""Prepare Clotho v2: see README.md beside this file.

python data/clotho/prepare.py FOLDER -o corpora/clotho
"""

import sys

from hsmtss_jax.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["data", "prepare", "clotho", *sys.argv[1:]]))
