"""``hsmtss evaluate probe``: a small classifier on frozen features, as HEAR does."""

import dataclasses
import sys
from typing import TYPE_CHECKING, Any, Literal

from hsmtss_jax.cli.clips import DataOptions
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

if TYPE_CHECKING:
    import numpy as np

    from hsmtss_jax.bundles.bundle import Bundle
    from hsmtss_jax.data.labelled import LabelledClips
    from hsmtss_jax.evaluation.probe_training import ProbeTraining


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluateProbeOptions(DataOptions):
    """Declare the command line of ``hsmtss evaluate probe``."""

    layout: Literal["auto", "prepared", "esc50", "hear"] = option("auto", "of the folder")
    features: tuple[Literal["s", "logmel", "random"], ...] = option(
        ("s",), "s: the bundle's S; logmel: mean log-mel; random: S of random weights"
    )
    seeds: int = option(10, "probes of the selected point", low=1, metavar="N")
    lr: tuple[float, ...] = option(
        (1e-4,), "learning rates to try", low=0, above=True, metavar="LR"
    )
    dropout: tuple[float, ...] = option((0.1, 0.25), "shares to try", low=0, high=0.99, metavar="P")
    hidden: int = option(1024, "hidden units", low=1, metavar="N")
    epochs: int = option(500, "at most", low=1, metavar="N")
    patience: int = option(20, "checks of 3 epochs each", low=1, metavar="N")
    standardise: bool = option(
        False, "scale each feature by the training part's mean and deviation; HEAR does not"
    )
    quiet: bool = option(False, "no progress", short="-q")
    report: ReportOptions = part(ReportOptions)
    stages: StageBundles = part(StageBundles, only=("audio_mae",))
    model: ModelOptions = part(ModelOptions, HEADING, without=WINDOWS)


def run(options: EvaluateProbeOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    check_output(options.report)
    from hsmtss_jax.data.labelled import read_labelled
    from hsmtss_jax.evaluation import probe

    clips = read_labelled(options.data, options.layout)
    training = _training(options)
    bundle = load_bundles(options.model.ckpt, options.stages, ["audio_mae"])["audio_mae"]
    features: list[str] = list(dict.fromkeys(options.features))
    outcomes = {}
    with on_device(options.model) as dtype:
        for feature in features:
            x = _vectors(options, bundle, clips, feature, dtype)
            say = None if options.quiet else _printer(feature)
            outcomes[feature] = probe.run(x, clips, training, say)
    scores = {name: probe.score(outcome, clips) for name, outcome in outcomes.items()}
    for other in features[1:]:
        name = f"{features[0]} - {other}"
        scores[name] = probe.difference(outcomes[features[0]], outcomes[other], clips)
    about = flat(options) | {"recipe": dataclasses.asdict(training), "audio_mae": bundle.digest}
    write_report(options.report, probe.report(scores, outcomes, clips, about))
    return 0


def _training(options: EvaluateProbeOptions) -> "ProbeTraining":
    from hsmtss_jax.evaluation.probe_training import ProbeTraining

    return ProbeTraining(
        hidden=options.hidden,
        learning_rates=options.lr,
        dropouts=options.dropout,
        epochs=options.epochs,
        patience=options.patience,
        seeds=options.seeds,
        standardise=options.standardise,
    )


def _printer(feature: str) -> Any:
    return lambda line: print(feature, line, file=sys.stderr)


def _vectors(
    options: EvaluateProbeOptions,
    bundle: "Bundle",
    clips: "LabelledClips",
    feature: str,
    dtype: Any,
) -> "np.ndarray":
    """Embed every clip by the bundle or by random weights: [n, C]."""
    from hsmtss_jax.evaluation.probe import embed
    from hsmtss_jax.evaluation.representation import Representation, random_weights

    used = random_weights(bundle) if feature == "random" else bundle
    representation = Representation({"audio_mae": used}, dtype)
    total = len(clips.labels)
    with progress_bar(total, unit="clip", name=feature, quiet=options.quiet) as progress:
        return embed(representation, clips, feature, batch=options.model.batch, progress=progress)


COMMAND = Command(
    description="Accuracy of a small classifier on frozen, pooled features (Table VII), with 95 % "
    "bootstrap intervals over recordings. Data: a prepared data set with labels, the folder of ESC-50, or "
    "a task folder of HEAR 2021 (SC-5h, NS-5h, ESC-50).",
    epilog="example: hsmtss evaluate probe --data ESC-50-master --features s logmel random",
    options=EvaluateProbeOptions,
    run=run,
)
