"""``hsmtss visualize embedding``: global features of a data set's clips as a map."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hsmtss_jax.cli.evaluate_options import add_bundles, at_least_one, load_bundles
from hsmtss_jax.cli.messages import CommandParser

if TYPE_CHECKING:
    from hsmtss_jax.data.sources import Clip

ROLES = ("audio_mae", "q_audio")


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss visualize embedding",
        description="Draws the global features G of clips in the plane, coloured by label or tag.",
        epilog="example: hsmtss visualize embedding --data corpora/opensounds -o map.png "
        "--tags music animal nature weapon",
    )
    add_bundles(parser, ROLES)
    parser.add_argument("--data", default="corpora/opensounds", help="a prepared data set")
    parser.add_argument("--split", default="test", help="[test]")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the PNG to write")
    parser.add_argument("--method", choices=("tsne", "pca"), default="tsne", help="[tsne]")
    parser.add_argument("--labels", type=int, default=12, help="the N commonest labels [12]")
    parser.add_argument("--tags", nargs="+", metavar="TAG", help="these tags in place of labels")
    parser.add_argument("--most", type=int, default=40, help="clips of a group at most [40]")
    parser.add_argument("--seed", type=int, default=0, help="of the t-SNE [0]")
    parser.add_argument("--batch", type=int, default=32)
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    at_least_one(args, "labels", "most", "batch")
    from tqdm import tqdm

    from hsmtss_jax.cli.setup import enable_compilation_cache
    from hsmtss_jax.data.sources import ClipSource
    from hsmtss_jax.evaluation.pooling import fixed_crops, pool
    from hsmtss_jax.evaluation.representation import Representation
    from hsmtss_jax.visualization.embedding import project, save_embedding

    source = ClipSource(args.data, args.split)
    chosen = tagged(source.clips, args.tags) if args.tags else labelled(source.clips, args.labels)
    rows = [(i, name) for name, clips in chosen.items() for i in clips[: args.most]]
    if len(rows) < 4:
        raise ValueError(f"{len(rows)} clips of {args.data} are too few for a map: it takes 4")
    enable_compilation_cache()
    representation = Representation(load_bundles(args, ROLES))
    args.output.parent.mkdir(parents=True, exist_ok=True)
    audio = lambda row: source.audio(rows[row][0])  # noqa: E731
    with tqdm(total=len(rows), unit="clip", disable=not sys.stderr.isatty()) as bar:
        vectors = pool(
            fixed_crops(audio, len(rows), representation.window, 1),
            lambda windows, samples: (representation.global_features(windows), samples * 0 + 1),
            len(rows),
            args.batch,
            lambda done: bar.update(done - bar.n),
        )
    projection = project(vectors, args.method, args.seed)
    title = f"global features of {len(rows)} clips, {Path(args.data).name} {args.split}"
    save_embedding(args.output, projection, [name for _, name in rows], title)
    print(args.output)
    return 0


def labelled(clips: "list[Clip]", count: int) -> dict[str, list[int]]:
    """The ``count`` commonest labels -> their clips."""
    from hsmtss_jax.data.sources import by_label

    groups = sorted(by_label(clips).items(), key=lambda item: (-len(item[1]), item[0]))
    return dict(groups[:count])


def tagged(clips: "list[Clip]", tags: list[str]) -> dict[str, list[int]]:
    """Each tag -> the clips that carry it and none of the others. Raises ValueError for an unknown one."""
    found = {
        tag: [i for i, clip in enumerate(clips) if clip.tags.intersection(tags) == {tag}]
        for tag in tags
    }
    for tag, indices in found.items():
        if not indices:
            raise ValueError(f"no clip carries the tag {tag!r} and none of the others")
    return found
