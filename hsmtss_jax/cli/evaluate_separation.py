"""``hsmtss evaluate separation``: the paper's metrics on held-out mixtures of a prepared data set."""

import argparse
import dataclasses
import json
import sys
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
    parser.add_argument("--count", type=int, default=500, help="number of mixtures [500]")
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
    from hsmtss_jax.data.manifest import mixture_examples
    from hsmtss_jax.evaluation import evaluate, summarise, to_json, to_markdown
    from hsmtss_jax.evaluation.mask_baseline import MaskBaseline
    from hsmtss_jax.inference.pretrained import load_runtime

    enable_compilation_cache()
    system = load_runtime(args.ckpt)
    baseline = None
    if args.baseline:
        encoder = system.pipeline.bundles["text_encoder"]
        baseline = MaskBaseline(load_bundle(args.baseline), encoder)
    changes = {name: getattr(args, name) for name in ("temperature", "top_k", "top_p")}
    given = {name: value for name, value in changes.items() if value is not None}
    policy = dataclasses.replace(system.pipeline.sampling, **given)
    data = DataConfig(root=args.data, augment=False, snr_db=tuple(args.snr))
    examples = mixture_examples(data, args.split, args.seed, args.count, samples=system.window)
    with tqdm(total=args.count, unit="mixture", disable=not sys.stderr.isatty()) as bar:
        rows = list(
            evaluate(
                system,
                list(examples),
                policy=policy,
                seed=args.seed,
                batch=args.batch,
                baseline=baseline,
                progress=lambda done, _: bar.update(done - bar.n),
            )
        )
    summary = summarise(rows)
    table = to_markdown(summary)
    print(table)
    if args.output:
        about = vars(args) | {"policy": dataclasses.asdict(policy), "window": system.window}
        path = Path(args.output)
        write_text(path, json.dumps(to_json(summary, rows, about), indent=1) + "\n")
        write_text(path.with_suffix(".md"), table)
    return 0
