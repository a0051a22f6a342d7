"""Declare the options of ``hsmtss separate``, in groups."""

import argparse
import dataclasses
from typing import Literal

from hsmtss_jax.cli.model import HEADING, ModelOptions
from hsmtss_jax.cli.options import argument, part
from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.option import option
from hsmtss_jax.task import Task

SUBTYPES = {"16": "PCM_16", "24": "PCM_24", "float": "FLOAT"}


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
    start: float = option(0.0, "second to begin at", low=0, metavar="S")
    end: float | None = option(None, "second to end at", low=0, metavar="S", default_help="the end")
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
class OutputOptions:
    """Declare where results go, and in which form."""

    output: str | None = option(
        None,
        "a .wav or .flac file for one result, else a folder",
        short="-o",
        metavar="PATH",
        default_help="one input: beside it, INPUT_separated.wav; several: the folder separated",
    )
    filename: str | None = option(
        None,
        "with {track} {stem} (target, residual) {prompt} {ext}",
        metavar="TEMPLATE",
        default_help="{track}_{stem}, with several prompts {track}_{prompt}_{stem}",
    )
    two_stems: bool = option(False, "write the rest of the recording as well")
    format: Literal["wav", "flac"] | None = option(None, "of the files", default_help="wav")
    bit_depth: Literal["16", "24", "float"] = option("16", "of a sample")
    clip_mode: Literal["rescale", "clamp", "none"] = option(
        "rescale",
        "of samples beyond 1: turn target and residual down together, clamp them, or leave them (with "
        "--bit-depth float)",
    )
    skip_existing: bool = option(False, "leave results that are there already")

    def __post_init__(self) -> None:
        if self.bit_depth == "float" and self.format == "flac":
            raise ValueError("--bit-depth float needs --format wav: FLAC holds whole numbers")
        if self.clip_mode == "none" and self.bit_depth != "float":
            raise ValueError("--clip-mode none needs --bit-depth float: other samples end at 1")

    @property
    def subtype(self) -> str:
        """Return the encoding of the samples, by libsndfile's name."""
        return SUBTYPES[self.bit_depth]


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
        "recordings of any format, rate, channel count and length, and folders of them; without -p the "
        "last one is the instruction",
        metavar="INPUT",
        default=(),
    )
    request: RequestOptions = part(RequestOptions, "what to separate")
    output: OutputOptions = part(OutputOptions, "output")
    separation: SeparateOptions = part(SeparateOptions, "method", without=("residual",))
    model: ModelOptions = part(ModelOptions, HEADING)
    reports: ReportOptions = part(ReportOptions, "reports")

    @property
    def separate_options(self) -> SeparateOptions:
        """Return the options of ``Separator``: the residual is made where it is written."""
        return dataclasses.replace(self.separation, residual=self.output.two_stems)


def resolve(given: argparse.Namespace) -> None:
    """Let --blend imply its mode. Raises ValueError for options that the mode has no use for."""
    if hasattr(given, "blend"):
        given.mode = getattr(given, "mode", "blend")
        if given.mode != "blend":
            raise ValueError(f"--blend goes with --mode blend, not {given.mode}")
    if hasattr(given, "mask_from") and getattr(given, "mode", None) == "generate":
        raise ValueError("--mask-from is of a mask: leave it out of --mode generate")
