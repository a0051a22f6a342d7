"""Give the Ogg edition of ESC-50 the names that published lists of pairs use.

The edition of 2015 keeps a class a folder ("101 - Dog/1-100032-A.ogg"); lists call the clip
``1-100032-A-0.wav``, with the class number behind it. Files are copied as they are.

    python data/esc50/listed_names.py --recordings ESC-50 --out corpora/esc50
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from hsmtss_jax.data.preparation.layouts.esc50 import class_number

CLIPS = 2000


def copy_clips(recordings: Path, out: Path) -> int:
    """Copy every clip to ``out`` under its listed name; return how many there are.

    Raises FileNotFoundError when there is none.
    """
    clips = sorted(recordings.glob("*/*.ogg"))
    if not clips:
        raise FileNotFoundError(
            f"{recordings} has no folders of .ogg files: give the checkout of the edition of 2015"
        )
    names = {f"{clip.stem}-{class_number(clip.parent.name)}.ogg": clip for clip in clips}
    out.mkdir(parents=True, exist_ok=True)
    for name, clip in names.items():
        if not (out / name).exists():
            partial = out / f"{name}.tmp"
            shutil.copyfile(clip, partial)
            partial.rename(out / name)
    return len(names)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(description="Name ESC-50's Ogg files as lists of pairs do.")
    parser.add_argument(
        "--recordings", type=Path, required=True, help="checkout of the Ogg edition"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    given = parser.parse_args(argv)
    try:
        count = copy_clips(given.recordings, given.out)
    except (OSError, ValueError) as error:
        print(f"listed_names: error: {error}", file=sys.stderr)
        return 2
    print(f"{count} of {CLIPS} clips in {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
