"""``hsmtss visualize attention``: where in a recording the global token looks (Fig. 6)."""

import dataclasses

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.model import HEADING, ModelOptions
from hsmtss_jax.cli.options import argument, part
from hsmtss_jax.cli.visualize.options import FigureOptions
from hsmtss_jax.cli.visualize.window import read_window
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class VisualizeAttentionOptions:
    """Declare the command line of ``hsmtss visualize attention``."""

    input: str = argument("a recording; one window of it is drawn")
    instruction: str = argument('what to do: "extract the violin", "remove the rain"')
    figure: FigureOptions = part(FigureOptions)
    start: float = option(0.0, "second it starts at", low=0, metavar="S")
    target: str | None = option(
        None,
        "a recording of the target alone: the attention of its G is drawn as well, and it itself below",
        metavar="FILE",
    )
    heads: bool = option(False, "a panel for every head, of the predicted G")
    model: ModelOptions = part(ModelOptions, HEADING, only=("ckpt", "device", "dtype"))

    def __post_init__(self) -> None:
        if self.heads and self.target:
            raise ValueError("--heads draws no reference: leave out --target")


def run(options: VisualizeAttentionOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.cli.compilation_cache import enable_compilation_cache
    from hsmtss_jax.inference.hearing import hear
    from hsmtss_jax.inference.pretrained import hierarchical
    from hsmtss_jax.inference.recording import open_recording
    from hsmtss_jax.instructions import parse
    from hsmtss_jax.visualization.attention import attention_maps, save_attention, save_heads

    asked = parse(options.instruction)
    enable_compilation_cache()
    model = options.model
    system = context.load_runtime(model.ckpt, model.dtype, model.device, model.batch)
    runtime = hierarchical(system)
    place = options.start, runtime.window, runtime.sample_rate
    audio = read_window(options.input, *place)
    rate = runtime.sample_rate
    gain = hear(open_recording(audio, rate), rate).gain
    target = read_window(options.target, *place) if options.target else None
    maps = attention_maps(runtime, gain * audio, asked, None if target is None else gain * target)
    output = options.figure.make_folder()
    title = f"{asked.task}: {asked.description}"
    if options.heads:
        save_heads(output, audio, maps["predicted G"], title=title)
    else:
        references = {} if target is None else {"target": target}
        save_attention(output, audio, maps, title=title, references=references)
    print(output)
    return 0


COMMAND = Command(
    description="Draw the attention of the predicted global feature over the patches, in the local "
    "separator's last layer, with the mixture's log-mel spectrogram; with --target that of the true one "
    "beside it (the paper's Fig. 6).",
    epilog='example: hsmtss visualize attention street.wav "extract the dog" -o attention.png',
    options=VisualizeAttentionOptions,
    run=run,
)
