"""``hsmtss speed decoder``: sampling of the acoustic decoder, against its limits and against PyTorch."""

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.model import HEADING, ModelOptions, on_device
from hsmtss_jax.cli.options import part
from hsmtss_jax.cli.speed.options import SpeedOptions
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class DecoderOptions(SpeedOptions):
    """Declare the command line of ``hsmtss speed decoder``."""

    config: str = option(
        "acoustic_decoder", "a config file, or the name of one of ours", metavar="FILE"
    )
    batch: tuple[int, ...] = option((1, 4, 8, 16), "rows", low=1, metavar="N")
    frames: int | None = option(None, "frames a call", low=1, default_help="a full window")
    temperature: float = option(0.8, "0 is greedy", low=0, metavar="T")
    top_k: int = option(64, "0 keeps all classes", low=0, metavar="K")
    top_p: float = option(1.0, "1 keeps all classes", low=0, high=1, above=True, metavar="P")
    form: Literal["batch_last", "out_in", "in_out"] | None = option(
        None, "how the step's weights lie", default_help="the backend's default"
    )
    attention: Literal["products", "sums"] | None = option(
        None, "how the cache is read", default_help="the backend's default"
    )
    forms: bool = option(False, "only compare the forms, as bare matrix products")
    machine: ModelOptions = part(ModelOptions, HEADING, only=("device", "dtype"))


def run(options: DecoderOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    model = _model(options)
    frames = options.frames or model.max_frames
    if frames > model.max_frames:
        raise ValueError(f"--frames must lie between 1 and {model.max_frames}, a full window")
    import jax

    from hsmtss_jax.speed import decoder

    with on_device(options.machine, cached=False) as dtype:
        device = jax.devices()[0].device_kind
        print(f"acoustic decoder, size {options.size}, {dtype.__name__}, {device}\n")
        if options.forms:
            rates = decoder.compare_forms(model, dtype, options.batch, options.repeats)
            print(decoder.forms_table(rates, options.batch).to_markdown(), end="")
        else:
            _sampling(options, model, frames, dtype)
    return 0


def _model(options: DecoderOptions) -> "AcousticDecoderConfig":
    from hsmtss_jax.config import ExperimentConfig, load_config
    from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig
    from hsmtss_jax.testing.bundles import build_stage

    config = load_config(options.config, options.size, ExperimentConfig)
    model = getattr(build_stage(config, options.size, abstract=True).config, "model", None)
    if not isinstance(model, AcousticDecoderConfig):
        raise ValueError(f"{options.config} is no config of the acoustic decoder")
    return model


def _sampling(
    options: DecoderOptions, model: "AcousticDecoderConfig", frames: int, dtype: Any
) -> None:
    """Time sampling and print the table."""
    from hsmtss_jax.sampling import Policy
    from hsmtss_jax.speed import decoder

    policy = Policy(temperature=options.temperature, top_k=options.top_k, top_p=options.top_p)
    rows = decoder.benchmark(
        model,
        dtype,
        batches=options.batch,
        frames=frames,
        repeats=options.repeats,
        policy=policy,
        peer=options.peer,
        form=options.form,
        attention=options.attention,
    )
    print(decoder.table(rows).to_markdown(), end="")
    print(f"\n{frames} frames behind {model.patches if model.has_prefix else 0} patches, {policy}")
    reads = ", ".join(f"{row.bandwidth / 1e9:.1f}" for row in rows)
    print(f"large read in the same turns: {reads} GB/s")


COMMAND = Command(
    description="Time sampling with the key/value cache on the default device: frames/s of all rows "
    "together, the share of what memory bandwidth allows, of what the same weights reach in a bare loop of "
    "matrix products, and of what PyTorch transformers' generate reaches with a GPT-2 of the same size; "
    "prefill and compile time apart; peak memory.",
    epilog="example: hsmtss speed decoder --size demo --batch 1 16",
    options=DecoderOptions,
    run=run,
)
