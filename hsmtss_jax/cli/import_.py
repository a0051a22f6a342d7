"""``hsmtss import``: public weights as a bundle that a config's upstream can point to."""

import argparse
from pathlib import Path

from hsmtss_jax.bundles.bundle import STORAGES, check_destination, save_bundle
from hsmtss_jax.bundles.importers import KINDS, import_bundle
from hsmtss_jax.cli.messages import CommandParser


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss import",
        description="Turn public weights into a bundle. audio_mae: the official pretrained.pth or a timm "
        "port; mw_mae: a flax checkpoint, of which the encoder blocks are kept; text_encoder: FLAN-T5 of "
        "any size, BERT or MiniLM; gpt2; tf_codec: the public 6 kbps model (.ckpt). PyTorch files need the "
        "extra 'torch'.",
        epilog="examples: hsmtss import text_encoder google/flan-t5-base -o runs/text_encoder/bundle; "
        "hsmtss import audio_mae pretrained.pth -o runs/audio_mae/bundle",
    )
    parser.add_argument("kind", choices=KINDS, help="what the weights are")
    parser.add_argument("source", help="a file, a folder, or the hub id of a model (owner/name)")
    parser.add_argument("-o", "--output", required=True, help="folder of the bundle to write")
    parser.add_argument("--storage", choices=STORAGES, default="float32", help="[float32]")
    parser.add_argument("--heads", type=int, help="of audio_mae, mw_mae [one for 64 of the width]")
    parser.add_argument("--licence", default="", help="of the weights, for the bundle to state")
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    check_destination(args.output)  # before the work
    bundle = import_bundle(args.kind, args.source, args.heads, args.licence)
    saved = save_bundle(args.output, bundle, args.storage)
    megabytes = sum(path.stat().st_size for path in Path(args.output).iterdir()) / 1e6
    print(f"{saved.stage} {saved.digest[:12]} {args.storage} {megabytes:.1f} MB: {args.output}")
    return 0
