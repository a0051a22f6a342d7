"""Declare the options of ``hsmtss separate``, in groups."""

import argparse
import dataclasses
from typing import Literal

from hsmtss_jax.audio.output import OutputOptions
from hsmtss_jax.audio.timecode import read_time
from hsmtss_jax.cli.model import HEADING, ModelOptions
from hsmtss_jax.cli.options import argument, part
from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.option import option
from hsmtss_jax.task import Task


@dataclasses.dataclass(frozen=True, kw_only=True)
class RequestOptions:
    """Declare what to separate, and how sentences are understood."""

    prompt: tuple[str, ...] = option(
        (),
        '"extract the violin", "remove the rain"; several give a result each',
        short="-p",
        repeat=True,
        metavar="TEXT",
    )
    task: Task | None = option(
        None, "take the text as the description, word by word, for this task"
    )
    start: float = option(
        0.0, "time to begin at: 90, 1:30 or 1:02:03.5", low=0, metavar="TIME", read=read_time
    )
    end: float | None = option(
        None, "time to end at", low=0, metavar="TIME", default_help="the end", read=read_time
    )
    preview: float | None = option(
        None,
        "only this long a part, where most is heard, to hear first what comes out",
        low=0,
        above=True,
        metavar="TIME",
        read=read_time,
    )
    parser: Literal["rules", "local", "endpoint"] = option("rules", "how a sentence is understood")
    parser_model: str | None = option(
        None, "language model of --parser local or endpoint", metavar="NAME"
    )
    parser_url: str | None = option(None, "of --parser endpoint (OpenAI-compatible)", metavar="URL")
    plan: bool = option(False, "print what was understood as JSON, load no model")

    def __post_init__(self) -> None:
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"--end must lie behind --start, got {self.end:g} and {self.start:g}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlaceOptions:
    """Declare where results go."""

    output: str | None = option(
        None,
        "a file for one result, in the format of its suffix, - for the standard output, else a folder",
        short="-o",
        metavar="PATH",
        default_help="one input: beside it, INPUT_separated; several: the folder separated",
    )
    filename: str | None = option(
        None,
        "with {track} {stem} (target, residual) {prompt} {ext}",
        metavar="TEMPLATE",
        default_help="{track}_{stem}, with several prompts {track}_{prompt}_{stem}",
    )
    two_stems: bool = option(False, "write the rest of the recording as well")
    skip_existing: bool = option(False, "leave results that are there already")
    resume: bool = option(
        False,
        "go on where the same command was interrupted: of a recording over a minute what is done is kept "
        "beside the result, in a file .NAME.resume, until all is done",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """Declare how results are reported."""

    json: str | None = option(
        None, "write a JSON line a result; - is the standard output", metavar="FILE"
    )
    figure: bool | None = option(
        None,
        "a PNG beside the result: spectrograms and when the target sounds",
        default_help="for one result",
    )
    target: str | None = option(
        None, "a reference recording to draw in the figure as well", metavar="FILE"
    )
    quiet: bool = option(False, "nothing but errors (and --json)", short="-q")
    verbose: bool = option(False, "what is loaded, and where the time goes", short="-v")


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeparateCommand:
    """Declare the command line of ``hsmtss separate``."""

    items: tuple[str, ...] = argument(
        "recordings of any format, rate, channel count and length, - for the standard input, and folders; "
        "without -p the last one is the instruction",
        metavar="INPUT",
        default=(),
    )
    request: RequestOptions = part(RequestOptions, "what to separate")
    place: PlaceOptions = part(PlaceOptions, "output")
    output: OutputOptions = part(OutputOptions, "output")
    separation: SeparateOptions = part(SeparateOptions, "method", without=("residual",))
    model: ModelOptions = part(ModelOptions, HEADING)
    reports: ReportOptions = part(ReportOptions, "reports")

    @property
    def separate_options(self) -> SeparateOptions:
        """Return the options of ``Separator``: the residual is made where it is written."""
        return dataclasses.replace(self.separation, residual=self.place.two_stems)


def resolve(given: argparse.Namespace) -> None:
    """Let --blend imply its mode. Raises ValueError for options that the mode has no use for."""
    if hasattr(given, "blend"):
        given.mode = getattr(given, "mode", "blend")
        if given.mode != "blend":
            raise ValueError(f"--blend goes with --mode blend, not {given.mode}")
    if hasattr(given, "mask_from") and getattr(given, "mode", None) == "generate":
        raise ValueError("--mask-from is of a mask: leave it out of --mode generate")
