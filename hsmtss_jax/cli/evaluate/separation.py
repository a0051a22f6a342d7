"""``hsmtss evaluate separation``: the system as it ships on held-out mixtures, both tasks of each."""

import dataclasses
from typing import TYPE_CHECKING, Literal

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.cli.clips import MixtureOptions
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.evaluate.judges import JudgeOptions, load_judges
from hsmtss_jax.cli.evaluate.report import ReportOptions, check_output, write_report
from hsmtss_jax.cli.evaluate.routes import NOT_SCORED
from hsmtss_jax.cli.model import HEADING, ModelOptions
from hsmtss_jax.cli.options import flat, part
from hsmtss_jax.cli.progress import counted, progress_bar
from hsmtss_jax.inference.options import Mode, SeparateOptions
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.inference import Separator

MODES: tuple[Mode, ...] = ("mask", "generate")


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluateSeparationOptions(MixtureOptions):
    """Declare the command line of ``hsmtss evaluate separation``."""

    modes: tuple[Mode, ...] | None = option(
        None,
        "modes of separation, a row each",
        default_help="mask and generate, where the bundle knows them",
    )
    diagnostics: bool = option(True, "rows that say what each stage loses, where there are stages")
    baseline: str | None = option(
        None, "another pipeline to score on the same mixtures, as it ships", metavar="BUNDLE"
    )
    split: Literal["validation", "test"] = option("test", "of the data set")
    count: int = option(250, "pairs, both tasks of each", low=1, metavar="N")
    table: Literal["2", "3", "4"] | None = option(
        None, "a table of the paper, its printed numbers beside ours", default_help="none"
    )
    report: ReportOptions = part(ReportOptions)
    judges: JudgeOptions = part(JudgeOptions, "models of others")
    separation: SeparateOptions = part(SeparateOptions, "method", without=NOT_SCORED)
    model: ModelOptions = part(ModelOptions, HEADING)


def run(options: EvaluateSeparationOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    check_output(options.report)
    from hsmtss_jax.cli.compilation_cache import enable_compilation_cache
    from hsmtss_jax.config import DataConfig
    from hsmtss_jax.data.drawn_mixtures import mixture_examples, recording_groups
    from hsmtss_jax.evaluation.separation import evaluate_separation
    from hsmtss_jax.inference import Separator
    from hsmtss_jax.inference.pretrained import hierarchical, is_hierarchical

    enable_compilation_cache()
    judges = load_judges(options.judges)
    model, seed = options.model, options.separation.seed
    data = DataConfig(root=options.data, augment=False, snr_db=options.snr)
    groups = recording_groups(options.data, options.split)
    runtime = context.load_runtime(model.ckpt, model.dtype, model.device, model.batch)
    separator = Separator(runtime, overlap=model.overlap, segment=model.segment)
    window = round(runtime.window / runtime.sample_rate * SAMPLE_RATE)
    examples = mixture_examples(data, options.split, seed, options.count, samples=window)
    sampling = separator.sampling
    about = flat(options) | {
        "window": window,
        "policy": sampling and dataclasses.asdict(options.separation.policy(sampling)),
    }
    with progress_bar(options.count, unit="mixture") as progress:
        report = evaluate_separation(
            separator,
            counted(examples, options.count, progress),
            modes=options.modes or [each for each in MODES if each in separator.modes],
            options=options.separation,
            diagnostics=hierarchical(runtime)
            if options.diagnostics and is_hierarchical(runtime)
            else None,
            baseline=_baseline(options, context),
            groups=groups,
            judges=judges,
            paper=options.table,
            about=about,
        )
    write_report(options.report, report)
    return 0


def _baseline(options: EvaluateSeparationOptions, context: Context) -> "Separator | None":
    if options.baseline is None:
        return None
    from hsmtss_jax.inference import Separator

    model = options.model
    runtime = context.load_runtime(options.baseline, model.dtype, model.device, model.batch)
    return Separator(runtime, overlap=model.overlap)


COMMAND = Command(
    description="The paper's metrics on held-out mixtures of a prepared data set, both tasks of each "
    "(Table II). Rows that are named after a mode go through Separator, as hsmtss separate does; "
    "--no-silence-gate makes the numbers that stand beside the paper's.",
    epilog="example: hsmtss evaluate separation --modes mask --count 96 -o scores.json",
    options=EvaluateSeparationOptions,
    run=run,
)
