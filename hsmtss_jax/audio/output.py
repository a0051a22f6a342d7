"""Declare the options of written sound: format, bit depth, bit rate, tags, samples beyond 1."""

import dataclasses
from typing import Any, Literal

from hsmtss_jax.audio.formats import FORMATS
from hsmtss_jax.option import check, option

FormatName = Literal[
    "wav",
    "rf64",
    "w64",
    "aiff",
    "au",
    "caf",
    "flac",
    "ogg",
    "opus",
    "mp3",
    "m4a",
    "aac",
    "wma",
    "ac3",
    "mp2",
    "wv",
    "mka",
    "mp4",
    "mov",
    "mkv",
    "webm",
    "avi",
]
BitDepth = Literal["8", "16", "24", "32", "float", "double"]
ClipMode = Literal["rescale", "clamp", "none"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """Configure how sound is written; by default it is like the recording that it was made of.

    Raises ValueError for a value out of its range, and for options that exclude one another.
    """

    format: FormatName | None = option(
        None,
        f"of the files: {', '.join(FORMATS)}; films keep their pictures",
        metavar="NAME",
        default_help="by the name of the file, else as the input, wav where that cannot be written",
    )
    bit_depth: BitDepth | None = option(
        None,
        "of a sample, in formats that leave the choice: 8, 16, 24, 32, float, double",
        metavar="BITS",
        default_help="as the input",
    )
    bitrate: int | None = option(
        None,
        "of mp3, ogg, opus, m4a and the like [kbit/s]",
        low=6,
        high=1000,
        metavar="KBPS",
        default_help="96 a channel or its equal in quality",
    )
    tags: bool = option(
        True, "keep title, artist and the like, and the time reference of broadcast WAV"
    )
    clip_mode: ClipMode | None = option(
        None,
        "of samples beyond 1: rescale turns target and residual down together, clamp cuts them off, none "
        "leaves them (floats only)",
        default_help="none where the format holds floats, else rescale, with a warning",
    )

    def __post_init__(self) -> None:
        check(self)
        form = None if self.format is None else FORMATS[self.format]
        if form is not None and self.bit_depth is not None and self.bit_depth not in form.depths:
            held = ", ".join(each for each in form.depths if "law" not in each)
            has = f"has {held}" if held else "has no bit depth"
            raise ValueError(f"{form.title} {has}: bit depth {self.bit_depth} needs another format")
        if form is not None and self.bitrate is not None and form.exact:
            raise ValueError(f"a bit rate goes with mp3, ogg and the like, not with {form.title}")
        if self.clip_mode == "none" and self.bit_depth not in (None, "float", "double"):
            raise ValueError("clip mode none needs bit depth float: other samples end at 1")

    def replace(self, **changes: Any) -> "OutputOptions":
        """Return these options with the changes that are not None."""
        given = {name: value for name, value in changes.items() if value is not None}
        return dataclasses.replace(self, **given)
