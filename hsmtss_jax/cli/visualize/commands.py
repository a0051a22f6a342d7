"""``hsmtss visualize commands``: one recording, extracted and removed from, side by side (Fig. 7)."""

import dataclasses

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.model import HEADING, ModelOptions
from hsmtss_jax.cli.options import argument, part
from hsmtss_jax.cli.visualize.options import FigureOptions
from hsmtss_jax.cli.visualize.window import read_window
from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.option import option
from hsmtss_jax.task import TASKS

LONGEST = 300.0  # [s] that are drawn
NOT_DRAWN = ("min_presence", "residual")  # of SeparateOptions


@dataclasses.dataclass(frozen=True, kw_only=True)
class VisualizeCommandsOptions:
    """Declare the command line of ``hsmtss visualize commands``."""

    input: str = argument("a recording; its first five minutes are drawn")
    description: str = argument('the sound to extract and to remove: "the dog"')
    figure: FigureOptions = part(FigureOptions)
    start: float = option(0.0, "second it starts at", low=0, metavar="S")
    extracted: str | None = option(
        None, "a recording of what extract should give, to draw below", metavar="FILE"
    )
    removed: str | None = option(
        None, "a recording of what remove should give, to draw below", metavar="FILE"
    )
    separation: SeparateOptions = part(SeparateOptions, "method", without=NOT_DRAWN)
    model: ModelOptions = part(ModelOptions, HEADING)


def run(options: VisualizeCommandsOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.cli.compilation_cache import enable_compilation_cache
    from hsmtss_jax.inference import Separator
    from hsmtss_jax.visualization.spectrograms import save_commands, separate_by_commands

    enable_compilation_cache()
    model = options.model
    runtime = context.load_runtime(model.ckpt, model.dtype, model.device, model.batch)
    separator = Separator(runtime, overlap=model.overlap, segment=model.segment)
    rate = separator.sample_rate
    place = options.start, round(LONGEST * rate), rate
    mixture = read_window(options.input, *place)
    files = dict(zip(TASKS, (options.extracted, options.removed), strict=True))
    references = {
        f"{task}: {options.description}": read_window(file, *place)
        for task, file in files.items()
        if file
    }
    chosen = options.separation.replace(residual=False)
    results = separate_by_commands(separator, mixture, options.description, rate, chosen)
    output = options.figure.make_folder()
    save_commands(output, mixture, results, rate, references=references)
    print(output)
    return 0


COMMAND = Command(
    description="Extract one sound from a recording and remove it, and draw the recording with both "
    "results side by side (the paper's Fig. 7).",
    epilog='example: hsmtss visualize commands street.wav "the dog" -o commands.png',
    options=VisualizeCommandsOptions,
    run=run,
)
