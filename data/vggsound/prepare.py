"""Prepare VGGSound: see README.md beside this file.

python data/vggsound/prepare.py FOLDER -o corpora/vggsound
"""

import sys

from hsmtss_jax.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["data", "prepare", "vggsound", *sys.argv[1:]]))
