"""``hsmtss bench audio_mae``: encoder and pre-training step, against a large matrix product and PyTorch."""

import argparse
from pathlib import Path

from hsmtss_jax.cli.messages import CommandParser
from hsmtss_jax.config import SIZES


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss bench audio_mae",
        description="Times AudioMAE's encoder and its pre-training step on the default device: steady "
        "time and compile time apart, and the share of what a large matrix product reaches in the same "
        "run.",
    )
    parser.add_argument("--size", choices=SIZES, default="paper", help="[paper]")
    parser.add_argument(
        "--config", default="configs/audio_mae.py", help="the config file [configs/audio_mae.py]"
    )
    parser.add_argument("--batch", type=int, default=4, help="examples a call [4]")
    parser.add_argument("--repeats", type=int, default=5, help="timed calls, the median counts [5]")
    parser.add_argument("--peer", action="store_true", help="the same in PyTorch, side by side")
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    if args.batch < 1 or args.repeats < 1:
        raise ValueError("--batch and --repeats must be at least 1")
    import jax

    from hsmtss_jax.benchmarks import audio_mae, to_markdown
    from hsmtss_jax.config import ExperimentConfig, load_config
    from hsmtss_jax.dist import compute_dtype

    config = load_config(Path(args.config), args.size, ExperimentConfig)
    dtype = compute_dtype()
    rows = audio_mae.benchmark(
        config, dtype, batch=args.batch, repeats=args.repeats, peer=args.peer
    )
    device = jax.devices()[0].device_kind
    print(f"audio_mae, size {args.size}, batch {args.batch}, {dtype.__name__}, {device}\n")
    print(to_markdown(rows), end="")
    print(f"\nlarge matrix product: {rows[0].limit / 1e9:.0f} GFLOP/s")
    return 0
