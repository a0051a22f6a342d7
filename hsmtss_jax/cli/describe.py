"""``hsmtss describe``: what a recording sounds like, in words, from window to window."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.discovery import find_inputs
from hsmtss_jax.cli.errors import fail, one_line
from hsmtss_jax.cli.model import HEADING, WINDOWS, ModelOptions, on_device
from hsmtss_jax.cli.options import argument, part
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.inference.captioner import Caption, Captioner


@dataclasses.dataclass(frozen=True, kw_only=True)
class SentenceOptions:
    """Declare how sentences are searched for."""

    beams: int = option(5, "of the search for a sentence", low=1, metavar="N")
    max_tokens: int = option(32, "of a sentence", low=1, metavar="N")


@dataclasses.dataclass(frozen=True, kw_only=True)
class DescribeOptions(SentenceOptions):
    """Declare the command line of ``hsmtss describe``."""

    inputs: tuple[str, ...] = argument(
        "recordings, - for the standard input, and folders of them", metavar="INPUT"
    )
    json: bool = option(False, "a JSON line a recording")
    model: ModelOptions = part(ModelOptions, HEADING, without=WINDOWS)


def run(options: DescribeOptions, context: Context) -> int:
    """Run the command: status 2 when no recording could be described, 1 when some could not."""
    inputs, problems = find_inputs(options.inputs)
    for problem in problems:
        fail(one_line(problem))
    if not inputs:
        return 2
    failed = len(problems)
    with on_device(options.model) as dtype:
        captioner = _load(options.model.ckpt, dtype)
        for item in inputs:
            try:
                _print(item.path, _describe(captioner, item.path, options), options.json)
            except (ValueError, OSError) as error:
                failed += 1
                fail(one_line(error))
    return 0 if not failed else 1 if failed < len(inputs) + len(problems) else 2


def _load(source: str | None, dtype: type) -> "Captioner":
    from hsmtss_jax.bundles.hub import locate
    from hsmtss_jax.bundles.pipeline import load_pipeline
    from hsmtss_jax.inference.captioner import ROLES, Captioner

    return Captioner(load_pipeline(locate(source), ROLES).bundles, dtype)


def _describe(captioner: "Captioner", path: Path, options: DescribeOptions) -> "list[Caption]":
    """Return the spans of a recording; what is wrong with it is said with its name."""
    from hsmtss_jax.audio.io import AudioError
    from hsmtss_jax.inference.recording import open_recording

    batch = options.model.batch
    try:
        return list(
            captioner.describe(
                open_recording(path), batch=batch, beams=options.beams, tokens=options.max_tokens
            )
        )
    except AudioError:
        raise  # names the file
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _print(path: Path, spans: "list[Caption]", as_json: bool) -> None:
    if as_json:
        document = {"input": str(path), "spans": [dataclasses.asdict(span) for span in spans]}
        print(json.dumps(document), flush=True)
        return
    print(path)
    for span in spans:
        print(f"{span.start:8.1f} - {span.end:.1f} s  {span.text or '(silence)'}")
    sys.stdout.flush()


COMMAND = Command(
    description="Write a sentence for every window of recordings: a hint at what there is to separate. "
    "The pipeline must hold a captioner; the demo's knows a few hundred everyday sounds, names the "
    "loudest, and is often wrong.",
    epilog="example: hsmtss describe street.wav",
    options=DescribeOptions,
    run=run,
)
