"""Prepare AudioSet: see README.md beside this file.

python data/audioset/prepare.py FOLDER -o corpora/audioset
"""

import sys

from hsmtss_jax.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["data", "prepare", "audioset", *sys.argv[1:]]))
