"""Prepare a folder of sounds of one's own: see README.md beside this file.

python data/folder/prepare.py FOLDER -o corpora/my_sounds
"""

import sys

from hsmtss_jax.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["data", "prepare", "folder", *sys.argv[1:]]))
