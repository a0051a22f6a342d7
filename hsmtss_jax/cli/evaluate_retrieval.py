"""``hsmtss evaluate retrieval``: text-to-audio and audio-to-text recall on a prepared data set."""

import argparse
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

ROLES = ("audio_mae", "text_encoder", "q_audio")


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss evaluate retrieval",
        description="R@1, R@5, R@10 and the median rank between clips and captions (Table V), with "
        "95 % bootstrap intervals over sets of clips that share no caption.",
        epilog="example: hsmtss evaluate retrieval --data corpora/clotho --duplicates separate",
    )
    add_bundles(parser, ROLES)
    parser.add_argument("--data", default="corpora/opensounds", help="a prepared data set")
    parser.add_argument("--split", default="test", help="[test]")
    parser.add_argument("--count", type=int, help="clips, going round the labels [all]")
    parser.add_argument("--captions", type=int, help="captions of a clip, its first ones [all]")
    parser.add_argument("--crops", type=int, default=3, help="of a clip over the window [3]")
    parser.add_argument(
        "--duplicates",
        choices=("merge", "separate"),
        default="merge",
        help="merge: equal captions are one text, right for each of their clips; separate: only a "
        "caption's own clip is right, as in the literature [merge]",
    )
    parser.add_argument("--batch", type=int, default=32)
    add_output(parser)
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    at_least_one(args, "count", "captions", "crops", "batch")
    check_output(args)
    from tqdm import tqdm

    from hsmtss_jax.cli.setup import enable_compilation_cache
    from hsmtss_jax.data.sources import ClipSource, label_cycle
    from hsmtss_jax.evaluation import retrieval
    from hsmtss_jax.evaluation.representation import Representation

    source = ClipSource(args.data, args.split)
    order = label_cycle(source.clips)[: args.count]
    clips = [source.clips[i] for i in order]
    pairs = retrieval.pair(
        [clip.captions[: args.captions] for clip in clips], merge=args.duplicates == "merge"
    )
    enable_compilation_cache()
    representation = Representation(load_bundles(args, ROLES))
    text = retrieval.embed_texts(representation, pairs.texts, batch=args.batch)
    with tqdm(total=len(order), unit="clip", disable=not sys.stderr.isatty()) as bar:
        audio = retrieval.embed_clips(
            representation,
            lambda row: source.audio(order[row]),
            len(order),
            crops=args.crops,
            batch=args.batch,
            progress=lambda done: bar.update(done - bar.n),
        )
    rankings = retrieval.rank(audio, text, pairs, [clip.id for clip in clips])
    scores = {name: retrieval.score(ranking) for name, ranking in rankings.items()}
    about = vars(args) | {
        "window": representation.window,
        "clips": len(clips),
        "texts": len(pairs.texts),
        "independent_sets": len(set(pairs.clip_groups.tolist())),
    }
    report = retrieval.report(scores, rankings, about)
    write_report(args, report.table(), report.to_json())
    return 0
