"""``hsmtss bench codec``: TF-Codec's encode and decode, its training step, and the same in PyTorch."""

import argparse
from pathlib import Path

from hsmtss_jax.cli.messages import CommandParser
from hsmtss_jax.config import SIZES


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss bench codec",
        description="Times TF-Codec's encode and decode on the default device: steady time and compile time "
        "apart, and the real-time factor. With --peer the same layers in PyTorch in the same run.",
        epilog="example: hsmtss bench codec --size paper --peer",
    )
    parser.add_argument("--size", choices=SIZES, default="paper", help="[paper]")
    parser.add_argument(
        "--config", default="configs/tf_codec.py", help="the config file [configs/tf_codec.py]"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="of sound in a clip [10]")
    parser.add_argument("--batch", type=int, default=1, help="clips a call [1]")
    parser.add_argument("--repeats", type=int, default=5, help="timed calls, the median counts [5]")
    parser.add_argument("--peer", action="store_true", help="the same in PyTorch, side by side")
    parser.add_argument(
        "--step", action="store_true", help="the config's training step too, on --batch crops"
    )
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    if args.batch < 1 or args.repeats < 1 or not 0.1 <= args.seconds <= 600:
        raise ValueError("--batch and --repeats must be at least 1, --seconds in 0.1 to 600")
    import jax

    from hsmtss_jax.benchmarks import codec
    from hsmtss_jax.config import ExperimentConfig, load_config
    from hsmtss_jax.dist import compute_dtype

    config = load_config(Path(args.config), args.size, ExperimentConfig)
    dtype = compute_dtype()
    rows = codec.benchmark(
        config,
        dtype,
        seconds=args.seconds,
        batch=args.batch,
        repeats=args.repeats,
        peer=args.peer,
        step=args.step,
    )
    device = jax.devices()[0].device_kind
    clips = f"batch {args.batch}, {args.seconds:g} s"
    print(f"codec, size {args.size}, {clips}, {dtype.__name__}, {device}\n")
    print(codec.to_markdown(rows), end="")
    return 0
