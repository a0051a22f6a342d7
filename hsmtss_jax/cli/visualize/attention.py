"""``hsmtss visualize attention``: where in a recording the global token looks (Fig. 6)."""

import dataclasses
from typing import TYPE_CHECKING

from hsmtss_jax.audio.io import read_audio, resample, to_mono
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.model import HEADING, ModelOptions
from hsmtss_jax.cli.options import argument, part
from hsmtss_jax.cli.visualize.options import FigureOptions
from hsmtss_jax.option import option

if TYPE_CHECKING:
    import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class VisualizeAttentionOptions:
    """The command line of ``hsmtss visualize attention``."""

    input: str = argument("a recording; one window of it is drawn")
    instruction: str = argument('what to do: "extract the violin", "remove the rain"')
    figure: FigureOptions = part(FigureOptions)
    start: float = option(0.0, "second it starts at", low=0, metavar="S")
    target: str | None = option(None, "a reference recording to draw below", metavar="FILE")
    heads: bool = option(False, "a panel for every head")
    model: ModelOptions = part(ModelOptions, HEADING, only=("ckpt", "device", "dtype"))

    def __post_init__(self) -> None:
        if self.heads and self.target:
            raise ValueError("--heads draws no reference: leave out --target")


def run(options: VisualizeAttentionOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.cli.compilation_cache import enable_compilation_cache
    from hsmtss_jax.inference.recording import check_recording
    from hsmtss_jax.instructions import parse
    from hsmtss_jax.visualization.attention import AttentionMap, save_attention, save_heads

    asked = parse(options.instruction)
    enable_compilation_cache()
    model = options.model
    runtime = context.load_runtime(model.ckpt, model.dtype, model.device, model.batch)
    audio = read_window(options.input, options.start, runtime.window, runtime.sample_rate)
    check_recording(audio[:, None], runtime.sample_rate)
    output = options.figure.make_folder()
    weights = runtime.attention(runtime.encode_audio(audio[None]), runtime.encode_text([asked]))
    encoder = runtime.networks.encoders.audio_mae
    attention = AttentionMap(weights[0], encoder.freq_patches, encoder.patch)
    title = f"{asked.task}: {asked.description}"
    if options.heads:
        save_heads(output, audio, attention, title=title)
    else:
        references = {}
        if options.target:
            place = options.start, runtime.window, runtime.sample_rate
            references["target"] = read_window(options.target, *place)
        save_attention(output, audio, attention, title=title, references=references)
    print(output)
    return 0


def read_window(path: str, start: float, samples: int, rate: int) -> "np.ndarray":
    """Read at most ``samples`` mono samples at ``rate`` from second ``start`` on. Raises ValueError."""
    file = read_audio(path)
    mono = resample(to_mono(file.samples)[:, None], file.sample_rate, rate)[:, 0]
    first = round(start * rate)
    if len(mono) - first < 0.05 * rate:
        raise ValueError(f"{path} lasts {len(mono) / rate:.2f} s: start 50 ms before its end")
    return mono[first : first + samples]


COMMAND = Command(
    description="Draw the attention of the predicted global feature over the patches, in the local "
    "separator's last layer, with the mixture's log-mel spectrogram (the paper's Fig. 6).",
    epilog='example: hsmtss visualize attention street.wav "extract the dog" -o attention.png',
    options=VisualizeAttentionOptions,
    run=run,
)
