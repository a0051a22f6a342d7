"""``hsmtss data inspect``: what is in a data set, and what training would make of it."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

from hsmtss_jax.audio.constants import CLIP_SAMPLES
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.data.manifest import MixingOptions
from hsmtss_jax.cli.options import argument
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.data.mixing import MixtureExample


@dataclasses.dataclass(frozen=True, kw_only=True)
class InspectOptions(MixingOptions):
    """Declare the command line of ``hsmtss data inspect``."""

    output: Path = argument("folder for report.json and index.html")
    splits: tuple[str, ...] = option(("train", "validation", "test"), "to look at", metavar="SPLIT")
    samples: int = option(CLIP_SAMPLES, "of a mixture, at 16 kHz", low=160)
    measured: int = option(1_000, "clips of a split whose sound is measured", low=0)
    mixtures: int = option(200, "that are drawn of a split", low=1)
    players: int = option(12, "mixtures on the page", low=0)
    compared: int = option(500, "clips of a split whose recordings are sought in others", low=0)
    seconds: float = option(2.0, "for timing each way to read; 0: none", low=0, metavar="S")


def run(options: InspectOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.atomic import replace_folder
    from hsmtss_jax.data import inspection
    from hsmtss_jax.data.inspection_page import render_page
    from hsmtss_jax.data.sets import open_clips
    from hsmtss_jax.data.sources import label_cycle
    from hsmtss_jax.data.throughput import measure_throughput

    config, report = options.data(), {}
    heard: list[MixtureExample] = []
    sources = {split: open_clips(config, split) for split in options.splits}
    for split, source in sources.items():
        measured = label_cycle(source.clips)[: options.measured]
        report[f"clips of {split}"] = inspection.inspect_split(source, measured)
        examples = inspection.draw_examples(config, split, options.mixtures, options.samples)
        clips = {clip.id: clip for clip in source.clips}
        report[f"mixtures of {split}"] = inspection.inspect_mixtures(examples, clips)
        heard = heard or examples[: options.players]
    if options.compared and len(sources) > 1:
        found = inspection.shared_recordings(sources, options.compared)
        report["recordings in two splits"] = {"found": len(found), "pairs": found}
    if options.seconds:
        rows = measure_throughput(
            config, options.splits[0], samples=options.samples, seconds=options.seconds
        )
        report["examples a second"] = {
            row.name: f"{row.per_second:.0f}, {row.per_core_second:.0f} a core second, "
            f"{row.of_raw:.2f} of the raw read"
            for row in rows
        }
    name = config.root or ", ".join(each.root for each in config.sets)
    with replace_folder(options.output) as folder:
        (folder / "report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False))
        (folder / "index.html").write_text(render_page(name, report, heard), encoding="utf-8")
    for split, source in sources.items():
        print(f"{split}: {len(source)} clips, {report[f'clips of {split}']['hours']:.2f} h")
    print(f"report: {options.output / 'index.html'}")
    return 0


COMMAND = Command(
    description="Look at a data set before training on it: counts, durations, levels, bandwidths, "
    "captions and their templates, SNR and common tags of the mixtures that training would draw, "
    "recordings that stand in two splits, the pipeline's speed, and mixtures to hear.",
    epilog="example: hsmtss data inspect runs/data_page --size demo --set root=corpora/opensounds",
    options=InspectOptions,
    run=run,
)
