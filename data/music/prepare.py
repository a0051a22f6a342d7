"""Prepare MUSIC, 46 test videos: see README.md beside this file.

python data/music/prepare.py FOLDER -o corpora/music
"""

import sys

from hsmtss_jax.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["data", "prepare", "music", *sys.argv[1:]]))
