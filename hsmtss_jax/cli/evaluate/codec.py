"""``hsmtss evaluate codec``: a codec's resynthesis of held-out clips, its bit rates and its speed."""

import dataclasses
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.cli.clips import ClipOptions, Clips, read_clips
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.evaluate.report import ReportOptions, check_output, write_report
from hsmtss_jax.cli.model import HEADING, ModelOptions, StageBundles, load_bundles, on_device
from hsmtss_jax.cli.options import flat, part
from hsmtss_jax.cli.progress import counted, progress_bar
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.evaluation.codec import ClipCodec

ROLES = ("tf_codec",)
PEERS = {"encodec": "facebook/encodec_24khz", "dac": "descript/dac_16khz"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluateCodecOptions(ClipOptions):
    """Declare the command line of ``hsmtss evaluate codec``."""

    seconds: float = option(10.0, "at most, of a clip's middle", low=0.1, high=600, metavar="S")
    peer: tuple[str, ...] = option(
        (),
        "encodec or dac, at 6 kbps, from a folder or a hub id",
        repeat=True,
        metavar="NAME[=FOLDER]",
        default_help="the hub's 24 and 16 kHz models",
    )
    visqol: bool = option(True, "measure ViSQOL, which is slow")
    report: ReportOptions = part(ReportOptions)
    stages: StageBundles = part(StageBundles, only=ROLES)
    model: ModelOptions = part(ModelOptions, HEADING, only=("ckpt", "device"))  # always float32


def run(options: EvaluateCodecOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    peers = [_parse_peer(text) for text in options.peer]
    check_output(options.report)
    from hsmtss_jax.evaluation import codec

    clips = read_clips(options)
    notes: list[str] = []
    judge = _judge(options, notes)
    with on_device(options.model):
        bundle = load_bundles(options.model.ckpt, options.stages, ROLES)["tf_codec"]
        codecs: list[ClipCodec] = [codec.BundleCodec("TF-Codec", bundle), *_peers(peers, notes)]
        rows = [
            _evaluate(one, clips, round(options.seconds * SAMPLE_RATE), judge) for one in codecs
        ]
    about = flat(options) | {"clips": len(clips.order)}
    names = [clip.id for clip in clips.known]
    write_report(options.report, codec.report(rows, names, about, notes))
    return 0


def _judge(options: EvaluateCodecOptions, notes: list[str]) -> Any:
    """Return ViSQOL, None where it is not wanted or not installed."""
    from hsmtss_jax.evaluation import visqol

    if options.visqol and visqol.available():
        return visqol.make_visqol()
    if options.visqol:
        _note(notes, "ViSQOL left out: it needs visqol-python (pip install 'hsmtss-jax[eval]')")
    return None


def _evaluate(one: "ClipCodec", clips: Clips, samples: int, judge: Any) -> Any:
    from hsmtss_jax.evaluation.codec import evaluate
    from hsmtss_jax.evaluation.pooling import fixed_crops

    source, order = clips.source, clips.order
    windows = fixed_crops(lambda row: source.audio(order[row]), len(order), samples, 1)
    with progress_bar(len(order), unit="clip", name=one.name) as progress:
        windows = counted(windows, len(order), progress)
        return evaluate(one, windows, samples=samples, judge=judge)


def _parse_peer(text: str) -> tuple[str, str]:
    name, equals, source = text.partition("=")
    if name not in PEERS or (equals and not source):
        raise ValueError(f"--peer {text}: write {' or '.join(PEERS)}, or NAME=FOLDER")
    return name, source or PEERS[name]


def _peers(wanted: list[tuple[str, str]], notes: list[str]) -> Iterator["ClipCodec"]:
    """Give the peers that are within reach; a line says why another is left out."""
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


COMMAND = Command(
    description="MEL-D, LSD and ViSQOL of decoded clips with 95 % bootstrap intervals, raw and entropy bit "
    "rate, parameters and speed (Table VIII). ViSQOL needs the extra eval, EnCodec and DAC the extra codecs "
    "and their weights.",
    epilog="example: hsmtss evaluate codec --count 200 --peer encodec --peer dac=models/dac_16khz",
    options=EvaluateCodecOptions,
    run=run,
)
