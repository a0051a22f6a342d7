"""``hsmtss evaluate probe``: a small classifier on frozen features, as HEAR does."""

import argparse
import dataclasses
import math
import sys

from hsmtss_jax.cli.evaluate_options import (
    add_bundles,
    add_output,
    at_least_one,
    check_output,
    load_bundles,
    write_report,
)
from hsmtss_jax.cli.messages import CommandParser

FEATURES = ("s", "logmel", "random")


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss evaluate probe",
        description="Accuracy of a small classifier on frozen, pooled features (Table VII), with 95 % "
        "bootstrap intervals over recordings. Data: a prepared data set with labels, the folder of "
        "ESC-50, or a task folder of HEAR 2021 (SC-5h, NS-5h, ESC-50).",
        epilog="example: hsmtss evaluate probe --data ESC-50-master --features s logmel random",
    )
    add_bundles(parser, ("audio_mae",))
    parser.add_argument("--data", default="corpora/opensounds", help="the data set's folder")
    parser.add_argument("--layout", default="auto", choices=("auto", "prepared", "esc50", "hear"))
    parser.add_argument(
        "--features",
        nargs="+",
        choices=FEATURES,
        default=["s"],
        help="s: the bundle's S; logmel: mean log-mel; random: S of random weights [s]",
    )
    parser.add_argument("--seeds", type=int, default=10, help="probes of the selected point [10]")
    parser.add_argument("--lr", type=float, nargs="+", default=[1e-4], help="tried [1e-4]")
    parser.add_argument(
        "--dropout", type=float, nargs="+", default=[0.1, 0.25], help="tried [0.1 0.25]"
    )
    parser.add_argument("--hidden", type=int, default=1024, help="hidden units [1024]")
    parser.add_argument("--epochs", type=int, default=500, help="at most [500]")
    parser.add_argument("--patience", type=int, default=20, help="checks of 3 epochs each [20]")
    parser.add_argument(
        "--standardise",
        action="store_true",
        help="scale each feature by the training part's mean and deviation; HEAR does not",
    )
    parser.add_argument("--batch", type=int, default=32, help="windows at once [32]")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")
    add_output(parser)
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    _check(args)
    check_output(args)
    from hsmtss_jax.cli.setup import enable_compilation_cache
    from hsmtss_jax.data.labelled import read_labelled
    from hsmtss_jax.evaluation import probe
    from hsmtss_jax.evaluation.probe_training import ProbeTraining

    clips = read_labelled(args.data, args.layout)
    training = ProbeTraining(
        hidden=args.hidden,
        learning_rates=tuple(args.lr),
        dropouts=tuple(args.dropout),
        epochs=args.epochs,
        patience=args.patience,
        seeds=args.seeds,
        standardise=args.standardise,
    )
    bundle = load_bundles(args, ["audio_mae"])["audio_mae"]
    enable_compilation_cache()
    features = list(dict.fromkeys(args.features))
    outcomes = {}
    for feature in features:
        x = _vectors(args, bundle, clips, feature)
        say = None if args.quiet else lambda line, name=feature: print(name, line, file=sys.stderr)
        outcomes[feature] = probe.run(x, clips, training, say)
    scores = {name: probe.score(outcome, clips) for name, outcome in outcomes.items()}
    for other in features[1:]:
        name = f"{features[0]} - {other}"
        scores[name] = probe.difference(outcomes[features[0]], outcomes[other], clips)
    about = vars(args) | {"recipe": dataclasses.asdict(training), "audio_mae": bundle.digest}
    report = probe.report(scores, outcomes, clips, about)
    write_report(args, report.table(), report.to_json())
    return 0


def _check(args: argparse.Namespace) -> None:
    at_least_one(args, "seeds", "hidden", "epochs", "patience", "batch")
    if any(not 0 <= rate < 1 for rate in args.dropout):
        raise ValueError("--dropout must lie in [0, 1)")
    if any(not 0 < rate < math.inf for rate in args.lr):
        raise ValueError("--lr must be positive and finite")


def _vectors(args, bundle, clips, feature):  # type: ignore[no-untyped-def]
    """Vectors [n, C] of every clip, by the bundle or by random weights."""
    from tqdm import tqdm

    from hsmtss_jax.evaluation.probe import embed
    from hsmtss_jax.evaluation.representation import Representation, random_weights

    used = random_weights(bundle) if feature == "random" else bundle
    representation = Representation({"audio_mae": used})
    hidden = args.quiet or not sys.stderr.isatty()
    with tqdm(total=len(clips.labels), unit="clip", desc=feature, disable=hidden) as bar:
        return embed(
            representation,
            clips,
            feature,
            batch=args.batch,
            progress=lambda done: bar.update(done - bar.n),
        )
