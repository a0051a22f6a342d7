"""``hsmtss benchmark run``: separators on a list of pairs."""

import dataclasses
import re
from pathlib import Path

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.cli.benchmark.systems import FurtherOptions, Loaded, load_further, load_ours
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.evaluate.judges import JudgeOptions, load_judges
from hsmtss_jax.cli.evaluate.report import ReportOptions, check_output, write_report
from hsmtss_jax.cli.evaluate.routes import NOT_SCORED, OthersOptions, other_routes, run_routes
from hsmtss_jax.cli.model import HEADING, ModelOptions
from hsmtss_jax.cli.options import argument, part
from hsmtss_jax.inference.options import Mode, SeparateOptions
from hsmtss_jax.option import option
from hsmtss_jax.task import Task


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchmarkRunOptions:
    """Declare the command line of ``hsmtss benchmark run``."""

    pairs: Path = argument("a pair list, see hsmtss benchmark make", metavar="CSV")
    recordings: Path | None = option(
        None, "folder of the recordings", metavar="FOLDER", default_help="the list's"
    )
    tasks: tuple[Task, ...] = option((Task.EXTRACT,), "what is asked of each pair")
    every: int = option(1, "take every Nth pair", low=1, metavar="N")
    rate: int = option(
        SAMPLE_RATE, "at which pairs are mixed, separated and compared", low=8_000, metavar="HZ"
    )
    shard: str = option("0/1", "of the pairs taken, part I of N: for several processes")
    modes: tuple[Mode, ...] = option(
        (), "modes of --ckpt, a row each", default_help="its first one"
    )
    ours: bool = option(True, "rows of --ckpt")
    codec: bool = option(False, "a row of its codec's resynthesis of the target")
    sounds: tuple[Path, ...] = option(
        (), "folders of estimates NAME.wav made elsewhere, a row each", metavar="FOLDER"
    )
    further: FurtherOptions = part(FurtherOptions)
    others: OthersOptions = part(OthersOptions)
    report: ReportOptions = part(ReportOptions)
    judges: JudgeOptions = part(JudgeOptions, "models of others")
    separation: SeparateOptions = part(SeparateOptions, "method", without=NOT_SCORED)
    model: ModelOptions = part(ModelOptions, HEADING)

    def __post_init__(self) -> None:
        found = re.fullmatch(r"(\d+)/(\d+)", self.shard)
        if not found or int(found[1]) >= int(found[2]):
            raise ValueError(f"--shard is I/N with I from 0 to N - 1, not {self.shard}")


def run(options: BenchmarkRunOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    check_output(options.report)
    from hsmtss_jax.evaluation.benchmarks.mixing import Recordings, make_pairs
    from hsmtss_jax.evaluation.benchmarks.pair_list import digest, read_pair_list
    from hsmtss_jax.evaluation.routes import SoundFolder

    rows = read_pair_list(options.pairs)
    recordings = Recordings(options.recordings or options.pairs.parent, options.rate)
    part_, parts = map(int, options.shard.split("/"))
    indices = range(len(rows))[:: options.every][part_::parts]
    judges = load_judges(options.judges)
    routes = other_routes(options.others) + [SoundFolder(each) for each in options.sounds]
    ours = Loaded()
    if options.ours or options.codec:
        modes = (options.modes or None) if options.ours else ()
        ours = load_ours(
            options.model, options.separation, context, modes=modes, codec=options.codec
        )
    further = load_further(options.further, options.model, options.separation.seed, context)
    about = {
        "list": digest(rows),
        "tasks": [str(task) for task in options.tasks],
        "every": options.every,
        "rate": options.rate,
        "shard": options.shard,
        "sounds": [str(folder) for folder in options.sounds],
        "commands": list(options.others.programs),
        "options": dataclasses.asdict(options.separation),
        "windows": [options.model.segment, options.model.overlap],
        "bundle": ours.digests,
        "systems": further.digests,
        "judges": list(options.judges.judge),
    }
    pairs = make_pairs(rows, recordings, indices, options.tasks)
    found = run_routes(
        [*routes, *further.routes, *ours.routes],
        pairs,
        judges,
        about,
        count=len(indices),
        seed=options.separation.seed,
        log=options.others.log,
    )
    write_report(options.report, found)
    return 0


COMMAND = Command(
    description="Score separators on a list of pairs: ours in each mode, sounds made elsewhere, other "
    "programs, and what frames them (the target itself, the mixture, an ideal mask). With --log a run can be "
    "stopped and gone on with, and parts of it (--shard) run beside one another.",
    epilog="example: hsmtss benchmark run corpora/esc50/pairs.csv --every 10 --judge yamnet "
    "--log runs/esc50.jsonl -o runs/esc50.json",
    options=BenchmarkRunOptions,
    run=run,
)
