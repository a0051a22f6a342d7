"""Prepare Hive's sources: see README.md beside this file.

python data/hive/prepare.py FOLDER -o corpora/hive
"""

import sys

from hsmtss_jax.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["data", "prepare", "hive", *sys.argv[1:]]))
