"""Make what a recipe of size tiny begins with: synthetic sounds, a text encoder of random weights.

python -m hsmtss_jax.recipes.materials corpus FOLDER
python -m hsmtss_jax.recipes.materials text_encoder FOLDER tiny
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from hsmtss_jax.atomic import replace_folder


def write_corpus(folder: Path) -> None:
    """Write a data set of 40 synthetic clips with captions."""
    from hsmtss_jax.testing.corpus import write_tiny_corpus

    with replace_folder(folder) as work:
        made = write_tiny_corpus(work)
        for path in made.iterdir():
            shutil.move(path, work / path.name)
        made.rmdir()


def write_text_encoder(folder: Path, size: str) -> None:
    """Write the bundle of a text encoder of random weights."""
    from hsmtss_jax.bundles.bundle import save_bundle
    from hsmtss_jax.testing.bundles import tiny_upstream

    save_bundle(folder, tiny_upstream(["text_encoder"], size)["text_encoder"])


def main(words: Sequence[str]) -> None:
    """Make what the first word says."""
    what, folder, *size = words
    if what == "corpus":
        write_corpus(Path(folder))
    else:
        write_text_encoder(Path(folder), *size)


if __name__ == "__main__":
    main(sys.argv[1:])
