"""``hsmtss benchmark report``: a page of a run, to look at and to listen to."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hsmtss_jax.atomic import write_text
from hsmtss_jax.cli.benchmark.systems import FurtherOptions, Loaded, load_further, load_ours
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.evaluate.routes import OthersOptions, other_routes
from hsmtss_jax.cli.model import HEADING, ModelOptions
from hsmtss_jax.cli.options import argument, part
from hsmtss_jax.cli.progress import counted, progress_bar
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.evaluation.judging import Logged
    from hsmtss_jax.evaluation.pairs import Pair
    from hsmtss_jax.evaluation.routes import Route


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchmarkReportOptions:
    """Declare the command line of ``hsmtss benchmark report``."""

    logs: tuple[Path, ...] = argument("of hsmtss benchmark run --log", metavar="JSONL")
    output: Path = option(dataclasses.MISSING, "page to write", short="-o", metavar="HTML")
    pairs: Path | None = option(
        None, "the run's pair list, to have clips in the page", metavar="CSV"
    )
    recordings: Path | None = option(
        None, "folder of the recordings", metavar="FOLDER", default_help="the list's"
    )
    clips: int = option(12, "to show: a third of the worst, of the middle, of the best", low=0)
    by: str = option("sdri", "metric that clips are chosen by", metavar="METRIC")
    route: str | None = option(
        None, "row that clips are chosen by", metavar="ROW", default_help="the system's"
    )
    limit: float = option(
        20.0, "of the page's size [MB]: clips that do not fit are left out", low=0.1, metavar="MB"
    )
    title: str | None = option(None, "of the page", default_help="the first log's name")
    sounds: tuple[Path, ...] = option((), "folders of estimates, as in the run", metavar="FOLDER")
    further: FurtherOptions = part(FurtherOptions)
    others: OthersOptions = part(OthersOptions, only=("programs",))
    model: ModelOptions = part(ModelOptions, HEADING)

    def __post_init__(self) -> None:
        if self.output.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"-o {self.output} is to be a page: give a name like report.html")


def run(options: BenchmarkReportOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.evaluation.benchmarks.choice import choose, shown_route
    from hsmtss_jax.evaluation.benchmarks.classes import class_table
    from hsmtss_jax.evaluation.benchmarks.clips import make_clips
    from hsmtss_jax.evaluation.benchmarks.page import render_page
    from hsmtss_jax.evaluation.judging import read_logs
    from hsmtss_jax.evaluation.scores import described_columns, missing_notes, report
    from hsmtss_jax.visualization.thumbnail import loudest_db, spectrogram_png

    found = read_logs(options.logs)
    route = options.route or shown_route(found.scores)
    chosen = choose(found.scores, route, options.by, options.clips)
    columns = described_columns(found.about)
    made = report(found.scores, found.about, columns, missing_notes(columns))
    by = next((column for column in columns if column.key == options.by), None)
    pairs = _pairs(options.pairs, options.recordings, found) if options.pairs else None
    routes = _routes(options, found, context) if options.pairs else []
    clips = make_clips(
        chosen,
        found.scores,
        pairs,
        routes,
        seed=found.about["seed"],
        draw=spectrogram_png,
        level=loudest_db,
    )
    title = options.title or options.logs[0].stem
    with progress_bar(len(chosen), unit="clip") as progress:
        page = render_page(
            title,
            made,
            found.scores,
            counted(clips, len(chosen), progress),
            route=route,
            metric=options.by,
            limit=options.limit,
            classes=class_table(found.scores, by) if by else None,
        )
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write_text(options.output, page.html)
    size = len(page.html.encode()) / 1e6
    print(f"{options.output}: {page.clips} clips, {size:.1f} MB, of {options.limit:g} at most")
    return 0


def _pairs(path: Path, folder: Path | None, found: "Logged") -> "Callable[[int], Pair]":
    """Return what mixes pair i as the run did. Raises ValueError for another list."""
    from hsmtss_jax.evaluation.benchmarks.mixing import Recordings, make_pairs
    from hsmtss_jax.evaluation.benchmarks.pair_list import digest, read_pair_list
    from hsmtss_jax.task import Task

    if not {"list", "rate", "windows", "systems"} <= found.about.keys():
        raise ValueError("this is no log of hsmtss benchmark run, or an old one: leave --pairs out")
    rows = read_pair_list(path)
    if digest(rows) != found.about["list"]:
        raise ValueError(f"{path} is not the list of this run: give the one that it was made with")
    recordings = Recordings(folder or path.parent, found.about["rate"])
    tasks = [Task(task) for task in found.about["tasks"]]
    return lambda index: next(make_pairs(rows, recordings, [index], tasks))


def _routes(options: BenchmarkReportOptions, found: "Logged", context: Context) -> "list[Route]":
    """Return what makes the run's sounds again; rows of programs and folders only where they are given."""
    from hsmtss_jax.evaluation.routes import SoundFolder

    frame = other_routes(options.others)
    sounds = [SoundFolder(folder) for folder in options.sounds]
    further = load_further(options.further, options.model, found.about["seed"], context)
    known = found.about["systems"].items()
    if not further.digests.items() <= known:
        raise ValueError("the run was made with other bundles than those of --system")
    return [*frame, *sounds, *further.routes, *_ours(options.model, found, context).routes]


def _ours(model: ModelOptions, found: "Logged", context: Context) -> Loaded:
    """Load --ckpt for the run's rows of ours. Raises ValueError where the run had another bundle."""
    from hsmtss_jax.conversion import from_dict
    from hsmtss_jax.evaluation.scores import SYSTEM
    from hsmtss_jax.inference.options import SeparateOptions

    modes = [mode for mode in SYSTEM if mode in found.about["routes"]]
    codec = "codec" in found.about["routes"]
    if not (modes or codec):
        return Loaded()
    separation = from_dict(SeparateOptions, found.about["options"])
    segment, overlap = found.about["windows"]
    model = dataclasses.replace(model, segment=segment, overlap=overlap)
    ours = load_ours(model, separation, context, modes=modes, codec=codec)
    if ours.digests != found.about["bundle"]:
        raise ValueError("the run was made with another bundle: give it with --ckpt")
    return ours


COMMAND = Command(
    description="Write a run, finished or not, as one page that opens offline: its tables with intervals, "
    "curves over the pairs, and, with --pairs, chosen clips to hear and to see, the worst included. The "
    "system makes the clips' sounds again; rows of folders, programs and further systems are heard where "
    "these are given again.",
    epilog="example: hsmtss benchmark report runs/esc50.jsonl --pairs corpora/esc50/pairs.csv "
    "-o runs/esc50.html",
    options=BenchmarkReportOptions,
    run=run,
)
