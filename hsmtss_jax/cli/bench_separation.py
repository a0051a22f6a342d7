"""``hsmtss bench separation``: the whole system, from a recording to the separated sound."""

import argparse
from typing import TYPE_CHECKING

from hsmtss_jax.cli.messages import CommandParser
from hsmtss_jax.config import SIZES

if TYPE_CHECKING:
    from hsmtss_jax.inference import Separator


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss bench separation",
        description="Separates stereo noise at 44.1 kHz: time, real-time factor (seconds of work for a "
        "second of sound), time to the first finished sound, token frames a second, compile time, peak "
        "memory, and where the time goes. On a CPU the peak is the whole process's.",
        epilog="example: hsmtss bench separation --size paper --seconds 10 --repeats 1",
    )
    add = parser.add_argument
    add("--ckpt", metavar="BUNDLE", help="folder or hub id of a pipeline [the demo bundle]")
    add("--size", choices=SIZES, help="random weights of this size in place of a bundle")
    add("--configs", default="configs", help="the config files of --size [configs]")
    add("--seconds", type=float, nargs="+", default=[10.0, 60.0], help="recordings [10 60]")
    add("--mode", choices=("mask", "generate", "blend"), default="mask", help="[mask]")
    add("--decode", choices=("batch", "sequence"), default="batch", help="[batch]")
    add("--batch", type=int, default=16, help="sounds made at once [16]")
    add("--repeats", type=int, default=3, help="timed calls, the median counts [3]")
    add("--device", metavar="NAME", help="cpu, gpu, tpu, gpu:1 [the fastest there is]")
    add("--dtype", choices=("auto", "float32", "bfloat16"), default="auto", help="[auto]")
    add(
        "--cached", action="store_true", help="use the compilation cache (the first call is faster)"
    )
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    if args.ckpt and args.size:
        raise ValueError("--ckpt and --size exclude one another")
    if args.repeats < 1 or not all(0.05 <= seconds <= 36_000 for seconds in args.seconds):
        raise ValueError("--repeats must be at least 1, --seconds between 0.05 and 36000")
    import numpy as np

    from hsmtss_jax.benchmarks import separation
    from hsmtss_jax.cli.setup import enable_compilation_cache

    if args.cached:
        enable_compilation_cache()
    separator = _separator(args)
    windows = {"batch": "independent", "sequence": "continued"}[args.decode]
    options = {"mode": args.mode, "windows": windows}
    rows = separation.benchmark(separator, args.seconds, repeats=args.repeats, options=options)
    print(
        f"{separator.name}, {args.mode}, decode {args.decode}, batch {separator.batch}, "
        f"{np.dtype(separator.dtype).name}, {separator.device.device_kind}\n"
    )
    print(separation.to_markdown(rows), end="")
    return 0


def _separator(args: argparse.Namespace) -> "Separator":
    from hsmtss_jax.inference import Separator

    if args.size is None:
        return Separator.from_pretrained(
            args.ckpt, dtype=args.dtype, device=args.device, batch=args.batch
        )
    from hsmtss_jax.dist import compute_dtype, find_device
    from hsmtss_jax.inference.runtime import Runtime
    from hsmtss_jax.testing.bundles import random_pipeline

    pipeline = random_pipeline(args.size)
    device = find_device(args.device)
    return Separator(Runtime(pipeline, compute_dtype(args.dtype, device), device, batch=args.batch))
