"""``hsmtss evaluate codec``: a codec's resynthesis of held-out clips, its bit rates and its speed."""

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hsmtss_jax.cli.evaluate_options import (
    add_bundles,
    add_output,
    at_least_one,
    check_output,
    load_bundles,
    write_report,
)
from hsmtss_jax.cli.messages import CommandParser

if TYPE_CHECKING:
    from hsmtss_jax.evaluation.codec import ClipCodec

ROLES = ("tf_codec",)
PEERS = {"encodec": "facebook/encodec_24khz", "dac": "descript/dac_16khz"}


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss evaluate codec",
        description="MEL-D, LSD and ViSQOL of decoded clips with 95 %% bootstrap intervals, raw and entropy "
        "bit rate, parameters and speed (Table VIII). ViSQOL needs the extra eval, EnCodec and DAC the "
        "extra codecs and their weights.",
        epilog="example: hsmtss evaluate codec --count 200 --peer encodec --peer dac=models/dac_16khz",
    )
    add_bundles(parser, ROLES)
    parser.add_argument("--data", default="corpora/opensounds", help="a prepared data set")
    parser.add_argument("--split", default="test", help="[test]")
    parser.add_argument("--count", type=int, help="clips, going round the labels [all]")
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="at most, of a clip's middle [10]"
    )
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="NAME[=FOLDER]",
        help="encodec or dac, at 6 kbps, from a folder or a hub id [the hub's 24 and 16 kHz models]",
    )
    parser.add_argument("--no-visqol", action="store_true", help="leave ViSQOL out, the slow one")
    add_output(parser)
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    at_least_one(args, "count")
    if not 0.1 <= args.seconds <= 600:
        raise ValueError(f"--seconds must lie in 0.1 to 600, not {args.seconds:g}")
    peers = [_parse_peer(text) for text in args.peer]
    check_output(args)
    from hsmtss_jax.cli.setup import enable_compilation_cache
    from hsmtss_jax.data.sources import ClipSource, label_cycle
    from hsmtss_jax.evaluation import codec, visqol

    source = ClipSource(args.data, args.split)
    order = label_cycle(source.clips)[: args.count]
    samples = round(args.seconds * 16_000)
    enable_compilation_cache()
    notes: list[str] = []
    judge = None
    if not args.no_visqol and visqol.available():
        judge = visqol.make_visqol()
    elif not args.no_visqol:
        _note(notes, "ViSQOL left out: it needs visqol-python (pip install 'hsmtss-jax[eval]')")
    bundle = load_bundles(args, ROLES)["tf_codec"]
    codecs: list[ClipCodec] = [codec.BundleCodec("TF-Codec", bundle), *_peers(peers, notes)]
    rows = [_evaluate(one, source, order, samples, judge) for one in codecs]
    about = vars(args) | {"clips": len(order)}
    names = [source.clips[i].id for i in order]
    report = codec.report(rows, names, about, notes)
    write_report(args, report.table(), report.to_json())
    return 0


def _evaluate(one, source, order, samples, judge):  # type: ignore[no-untyped-def]
    from tqdm import tqdm

    from hsmtss_jax.evaluation.codec import evaluate
    from hsmtss_jax.evaluation.pooling import fixed_crops

    clips = fixed_crops(lambda row: source.audio(order[row]), len(order), samples, 1)
    hidden = not sys.stderr.isatty()
    with tqdm(total=len(order), unit="clip", desc=one.name, disable=hidden) as bar:
        return evaluate(
            one,
            clips,
            samples=samples,
            judge=judge,
            progress=lambda done: bar.update(done - bar.n),
        )


def _parse_peer(text: str) -> tuple[str, str]:
    name, equals, source = text.partition("=")
    if name not in PEERS or (equals and not source):
        raise ValueError(f"--peer {text}: write {' or '.join(PEERS)}, or NAME=FOLDER")
    return name, source or PEERS[name]


def _peers(wanted: list[tuple[str, str]], notes: list[str]) -> Iterator["ClipCodec"]:
    """The peers that are within reach; a line says why another is left out."""
    from hsmtss_jax.bundles.importers.source import locate

    for name, source in wanted:
        try:
            from hsmtss_jax.evaluation.torch_codecs import load_torch_codec
        except ImportError:
            _note(notes, f"{name} left out: it runs in PyTorch (pip install 'hsmtss-jax[codecs]')")
            continue
        try:
            folder = locate(source, ("config.json",))
        except FileNotFoundError:
            raise  # a path that was mistyped
        except OSError as error:
            _note(notes, f"{name} left out: {error}")
            continue
        yield load_torch_codec(name, folder)


def _note(notes: list[str], text: str) -> None:
    notes.append(text)
    print(text, file=sys.stderr)
