"""Declare what all figures share: where they are written."""

import dataclasses
from pathlib import Path

from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class FigureOptions:
    """Declare where the figure goes."""

    output: Path = option(dataclasses.MISSING, "the PNG to write", short="-o", metavar="FILE")

    def make_folder(self) -> Path:
        """Return the path of the figure, after making its folder."""
        self.output.parent.mkdir(parents=True, exist_ok=True)
        return self.output
