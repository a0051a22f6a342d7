"""Train one stage: ``python train.py configs/local_separator.py --size demo --workdir runs/local``."""

import sys

from hsmtss_jax.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
