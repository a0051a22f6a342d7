"""``hsmtss evaluate separation``: the paper's metrics on held-out mixtures of a prepared data set."""

import argparse
import json
from pathlib import Path

from hsmtss_jax.atomic import write_text
from hsmtss_jax.cli.messages import CommandParser


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(prog="hsmtss evaluate separation", description=__doc__)
    parser.add_argument("--ckpt", help="folder of a pipeline bundle [the demo bundle]")
    parser.add_argument(
        "--baseline", metavar="BUNDLE", help="a mask_separator bundle to score on the same mixtures"
    )
    parser.add_argument("--data", default="corpora/opensounds", help="a prepared data set")
    parser.add_argument("--split", default="test", choices=("validation", "test"))
    parser.add_argument("--count", type=int, default=250, help="pairs, both tasks of each [250]")
    parser.add_argument(
        "--modes", nargs="+", choices=("mask", "generate", "blend"), default=["mask", "generate"]
    )
    parser.add_argument("--no-silence-gate", action="store_true", help="as in the paper's numbers")
    parser.add_argument("--no-diagnostics", action="store_true", help="rows of the system alone")
    parser.add_argument("--seed", type=int, default=0, help="seed of mixtures and sampling [0]")
    parser.add_argument("--snr", type=float, nargs=2, default=(-15.0, 15.0), metavar="DB")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--temperature", type=float, help="0 is greedy [the bundle's]")
    parser.add_argument("--top-k", type=int, help="[the bundle's]")
    parser.add_argument("--top-p", type=float, help="[the bundle's]")
    parser.add_argument("-o", "--output", help="JSON to write; a Markdown table goes beside it")
    return parser


def main(argv: list[str]) -> int:
    """Run the command."""
    args = build_parser().parse_args(argv)
    if args.count < 1 or args.batch < 1:
        raise ValueError("--count and --batch must be at least 1")
    if args.output:  # an unwritable place is found before the work, not after it
        Path(args.output).parent.mkdir(parents=True, exist_ok=True)
    from tqdm import tqdm

    from hsmtss_jax.bundles.bundle import load_bundle
    from hsmtss_jax.cli.setup import enable_compilation_cache
    from hsmtss_jax.config import DataConfig
    from hsmtss_jax.data.manifest import mixture_examples, recording_groups
    from hsmtss_jax.evaluation.mask_baseline import MaskBaseline
    from hsmtss_jax.evaluation.separation import evaluate_separation
    from hsmtss_jax.inference import Separator
    from hsmtss_jax.inference.options import SeparateOptions
    from hsmtss_jax.inference.pretrained import load_runtime

    enable_compilation_cache()
    runtime = load_runtime(args.ckpt, batch=args.batch)
    baseline = None
    if args.baseline:
        encoder = runtime.pipeline.bundles["text_encoder"]
        baseline = MaskBaseline(load_bundle(args.baseline), encoder)
    options = SeparateOptions(
        seed=args.seed,
        temperature=args.temperature,
        top_k=args.top_k,
        top_p=args.top_p,
        silence_gate=not args.no_silence_gate,
    )
    data = DataConfig(root=args.data, augment=False, snr_db=tuple(args.snr))
    with tqdm(total=args.count, unit="pair", disable=None) as bar:
        report = evaluate_separation(
            Separator(runtime),
            mixture_examples(data, args.split, args.seed, args.count, samples=runtime.window),
            modes=args.modes,
            options=options,
            diagnostics=None if args.no_diagnostics else runtime,
            baseline=baseline,
            groups=recording_groups(args.data, args.split),
            about=vars(args) | {"window": runtime.window},
            progress=lambda done: bar.update(done - bar.n),
        )
    print(report.table())
    if args.output:
        path = Path(args.output)
        write_text(path, json.dumps(report.to_json(), indent=1) + "\n")
        write_text(path.with_suffix(".md"), report.table())
    return 0
