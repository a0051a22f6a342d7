"""``hsmtss evaluate presence``: what is asked for is there, or is not."""

import dataclasses
from typing import Literal

from hsmtss_jax.cli.clips import MixtureOptions
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.evaluate.report import ReportOptions, check_output, write_report
from hsmtss_jax.cli.evaluate.routes import NOT_SCORED
from hsmtss_jax.cli.model import HEADING, ModelOptions
from hsmtss_jax.cli.options import flat, part
from hsmtss_jax.cli.progress import counted, progress_bar
from hsmtss_jax.inference.options import Mode, SeparateOptions
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluatePresenceOptions(MixtureOptions):
    """Declare the command line of ``hsmtss evaluate presence``."""

    mode: Mode | None = option(None, "of separation", default_help="the bundle's first one")
    split: Literal["validation", "test"] = option("test", "of the data set")
    count: int = option(250, "mixtures, three questions each", low=1, metavar="N")
    log_wmse: bool = option(False, "compare outputs for absent sounds with silence")
    report: ReportOptions = part(ReportOptions)
    separation: SeparateOptions = part(SeparateOptions, "method", without=NOT_SCORED)
    model: ModelOptions = part(ModelOptions, HEADING)


def run(options: EvaluatePresenceOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    check_output(options.report)
    from hsmtss_jax.audio.constants import SAMPLE_RATE
    from hsmtss_jax.cli.compilation_cache import enable_compilation_cache
    from hsmtss_jax.config import DataConfig
    from hsmtss_jax.data.drawn_mixtures import mixture_examples, recording_groups
    from hsmtss_jax.data.sources import ClipSource
    from hsmtss_jax.evaluation.presence import absent_text, evaluate_presence
    from hsmtss_jax.evaluation.scorers import LogWMSE
    from hsmtss_jax.inference import Separator

    enable_compilation_cache()
    model, seed = options.model, options.separation.seed
    data = DataConfig(root=options.data, augment=False, snr_db=options.snr)
    clips = ClipSource(options.data, options.split).clips
    runtime = context.load_runtime(model.ckpt, model.dtype, model.device, model.batch)
    separator = Separator(runtime, overlap=model.overlap, segment=model.segment)
    window = round(runtime.window / runtime.sample_rate * SAMPLE_RATE)
    examples = mixture_examples(data, options.split, seed, options.count, samples=window)
    with progress_bar(options.count, unit="mixture") as progress:
        found = evaluate_presence(
            separator,
            counted(examples, options.count, progress),
            lambda example, index: absent_text(clips, example, seed + index),
            options=options.separation.replace(mode=options.mode or separator.modes[0]),
            groups=recording_groups(options.data, options.split),
            log_wmse=LogWMSE(SAMPLE_RATE) if options.log_wmse else None,
            about=flat(options) | {"window": window},
        )
    write_report(options.report, found)
    return 0


COMMAND = Command(
    description="Ask held-out mixtures of a prepared data set for the two sounds that are in them and for "
    "one that is not: how well the presence score and the level of the output tell (AUC), and how silent the "
    "output for an absent sound is.",
    epilog="example: hsmtss evaluate presence --count 250 --log-wmse -o presence.json",
    options=EvaluatePresenceOptions,
    run=run,
)
