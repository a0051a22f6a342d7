"""Prepare Speech: see README.md beside this file.

python data/speech/prepare.py FOLDER -o corpora/speech
"""

import sys

from hsmtss_jax.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["data", "prepare", "speech", *sys.argv[1:]]))
