"""``hsmtss evaluate retrieval``: text-to-audio and audio-to-text recall on a prepared data set."""

import dataclasses
from typing import Literal

from hsmtss_jax.cli.clips import ClipOptions, read_clips
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.evaluate.report import ReportOptions, check_output, write_report
from hsmtss_jax.cli.model import (
    HEADING,
    WINDOWS,
    ModelOptions,
    StageBundles,
    load_bundles,
    on_device,
)
from hsmtss_jax.cli.options import flat, part
from hsmtss_jax.cli.progress import progress_bar
from hsmtss_jax.option import option

ROLES = ("audio_mae", "text_encoder", "q_audio")


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluateRetrievalOptions(ClipOptions):
    """Declare the command line of ``hsmtss evaluate retrieval``."""

    captions: int | None = option(
        None, "captions of a clip, its first ones", low=1, metavar="N", default_help="all"
    )
    crops: int = option(3, "of a clip over the window", low=1, metavar="N")
    duplicates: Literal["merge", "separate"] = option(
        "merge",
        "merge: equal captions are one text, right for each of their clips; separate: only a caption's own "
        "clip is right, as in the literature",
    )
    report: ReportOptions = part(ReportOptions)
    stages: StageBundles = part(StageBundles, only=ROLES)
    model: ModelOptions = part(ModelOptions, HEADING, without=WINDOWS)


def run(options: EvaluateRetrievalOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    check_output(options.report)
    from hsmtss_jax.evaluation import retrieval
    from hsmtss_jax.evaluation.representation import Representation

    clips = read_clips(options)
    source, order, batch = clips.source, clips.order, options.model.batch
    pairs = retrieval.pair(
        [clip.captions[: options.captions] for clip in clips.known],
        merge=options.duplicates == "merge",
    )
    with on_device(options.model) as dtype, progress_bar(len(order), unit="clip") as progress:
        bundles = load_bundles(options.model.ckpt, options.stages, ROLES)
        representation = Representation(bundles, dtype)
        text = retrieval.embed_texts(representation, pairs.texts, batch=batch)
        audio = retrieval.embed_clips(
            representation,
            lambda row: source.audio(order[row]),
            len(order),
            crops=options.crops,
            batch=batch,
            progress=progress,
        )
    rankings = retrieval.rank(audio, text, pairs, [clip.id for clip in clips.known])
    scores = {name: retrieval.score(ranking) for name, ranking in rankings.items()}
    about = flat(options) | {
        "window": representation.window,
        "clips": len(order),
        "texts": len(pairs.texts),
        "independent_sets": len(set(pairs.clip_groups.tolist())),
    }
    write_report(options.report, retrieval.report(scores, rankings, about))
    return 0


COMMAND = Command(
    description="R@1, R@5, R@10 and the median rank between clips and captions (Table V), with 95 % "
    "bootstrap intervals over sets of clips that share no caption.",
    epilog="example: hsmtss evaluate retrieval --data corpora/clotho --duplicates separate",
    options=EvaluateRetrievalOptions,
    run=run,
)
