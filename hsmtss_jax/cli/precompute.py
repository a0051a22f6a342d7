"""``hsmtss precompute``: AudioMAE's features of mixtures, written once, to train the separators on."""

import argparse
import sys

from hsmtss_jax.cli.messages import CommandParser


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss precompute",
        description="Mix clips as in training and write the mixtures' local features S, so that the "
        "separator stages need not run AudioMAE at every step: data.root=FOLDER trains on them. Task and "
        "caption are still drawn at each step, and so is which of the two clips is the target; clips, "
        "places, SNR and augmentation are fixed.",
    )
    parser.add_argument("output", help="folder of the data set to write")
    parser.add_argument("--audio-mae", default="runs/audio_mae/bundle", help="an AudioMAE bundle")
    parser.add_argument("--data", default="corpora/opensounds", help="a prepared data set of clips")
    parser.add_argument("--samples", type=int, default=160_000, help="of a window, at 16 kHz")
    parser.add_argument("--snr", type=float, nargs=2, default=(-15.0, 15.0), metavar="DB")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--train", type=int, default=20_000, help="mixtures [20000]")
    parser.add_argument("--validation", type=int, default=512, help="mixtures [512]")
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    counts = {"train": args.train, "validation": args.validation}
    if min(counts.values()) < 0 or not any(counts.values()):
        raise ValueError("--train and --validation must be 0 or more, and one of them more")
    from tqdm import tqdm

    from hsmtss_jax.bundles.bundle import load_bundle
    from hsmtss_jax.cli.setup import enable_compilation_cache
    from hsmtss_jax.config import DataConfig
    from hsmtss_jax.dist import compute_dtype
    from hsmtss_jax.precompute.mixtures import write_mixture_features

    enable_compilation_cache()
    bundle = load_bundle(args.audio_mae)
    if bundle.stage != "audio_mae":
        raise ValueError(f"{args.audio_mae} is a bundle of {bundle.stage}, not of audio_mae")
    with tqdm(total=sum(counts.values()), unit="mixture", disable=not sys.stderr.isatty()) as bar:
        write_mixture_features(
            args.output,
            bundle,
            DataConfig(root=args.data, snr_db=tuple(args.snr)),
            counts,
            samples=args.samples,
            seed=args.seed,
            dtype=compute_dtype(),
            progress=bar.update,
        )
    print(f"{sum(counts.values())} mixtures: {args.output}")
    return 0
