"""``hsmtss evaluate captioning``: GPT-2 describes held-out clips from a linear prefix."""

import argparse
import sys

import numpy as np

from hsmtss_jax.cli.evaluate_options import (
    add_bundles,
    add_output,
    at_least_one,
    check_output,
    load_bundles,
    write_report,
)
from hsmtss_jax.cli.messages import CommandParser

ROLES = ("audio_mae", "q_audio", "gpt2", "captioner")


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss evaluate captioning",
        description="METEOR, CIDEr-D, SPICE and SPIDEr of beam-searched captions (Table VI). The "
        "captioner is trained with: hsmtss train configs/captioner.py. Scoring needs the extra "
        "caption. A row beside it scores captions of other clips, drawn at random.",
        epilog="examples: hsmtss evaluate captioning; hsmtss evaluate captioning --gpt2 "
        "runs/gpt2/bundle --captioner runs/captioner/bundle --data corpora/clotho",
    )
    add_bundles(parser, ROLES)
    parser.add_argument("--data", default="corpora/opensounds", help="a prepared data set")
    parser.add_argument("--split", default="test", help="[test]")
    parser.add_argument("--count", type=int, help="clips, going round the labels [all]")
    parser.add_argument("--beams", type=int, default=5, help="[5]")
    parser.add_argument("--max-tokens", type=int, default=67, help="of a caption [67]")
    parser.add_argument("--batch", type=int, default=8)
    add_output(parser)
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    at_least_one(args, "count", "beams", "max_tokens", "batch")
    check_output(args)
    from hsmtss_jax.cli.setup import enable_compilation_cache
    from hsmtss_jax.data.sources import ClipSource, label_cycle
    from hsmtss_jax.evaluation import captioning
    from hsmtss_jax.inference.captioner import Captioner

    captioning.check_extra()
    source = ClipSource(args.data, args.split)
    order = label_cycle(source.clips)[: args.count]
    clips = [source.clips[i] for i in order]
    enable_compilation_cache()
    writer = Captioner(load_bundles(args, ROLES))
    texts = _write(args, writer, source, order)
    references = [clip.captions for clip in clips]
    results = {
        "captioner": captioning.score(texts, references),
        "another clip's caption": captioning.score(
            captioning.shuffled_captions(references, seed=0), references
        ),
    }
    captions = dict(zip([clip.id for clip in clips], texts, strict=True))
    report = captioning.report(results, captions, references, vars(args))
    write_report(args, report.table(), report.to_json())
    return 0


def _write(args, writer, source, order):  # type: ignore[no-untyped-def]
    """A caption a clip, from one window of it: its middle, or all of a shorter one."""
    from tqdm import tqdm

    from hsmtss_jax.evaluation.pooling import fixed_crops

    windows = [
        window.audio
        for window in fixed_crops(
            lambda row: source.audio(order[row]), len(order), writer.window, 1
        )
    ]
    texts: list[str] = []
    with tqdm(total=len(order), unit="clip", disable=not sys.stderr.isatty()) as bar:
        for start in range(0, len(windows), args.batch):
            part = windows[start : start + args.batch]
            options = {"batch": args.batch, "beams": args.beams, "tokens": args.max_tokens}
            texts += writer.caption(np.stack(part), **options)
            bar.update(len(part))
    return texts
