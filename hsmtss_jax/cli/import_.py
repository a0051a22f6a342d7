"""``hsmtss import``: public weights as a bundle that a config's upstream can point to."""

import dataclasses
from pathlib import Path
from typing import Literal

from hsmtss_jax.bundles.bundle import Storage, check_destination, save_bundle
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.export import print_pipeline, print_saved
from hsmtss_jax.cli.options import argument
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """Declare the command line of ``hsmtss import``."""

    kind: Literal[
        "audio_mae", "mw_mae", "text_encoder", "gpt2", "tf_codec", "panns", "audiosep"
    ] = argument("what the weights are")
    source: str = argument("a file, a folder, or the hub id of a model (owner/name)")
    output: Path = option(
        dataclasses.MISSING, "folder of the bundle to write", short="-o", metavar="FOLDER"
    )
    storage: Storage = option("float32", "of the weights on disk")
    heads: int | None = option(
        None, "of audio_mae, mw_mae, CLAP", low=1, default_help="one for 64 of the width"
    )
    clap: str | None = option(
        None,
        "of audiosep: the checkpoint of the CLAP that encodes its queries",
        metavar="FILE",
        default_help="inside SOURCE",
    )
    tokenizer: str | None = option(
        None,
        "of audiosep: a folder, or a hub id, with roberta-base's tokenizer.json",
        metavar="FOLDER",
        default_help="beside CLAP",
    )
    licence: str = option("", "of the weights, for the bundle to state")


def run(options: ImportOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    if options.kind == "audiosep":
        return _import_separator(options)
    if unused := [name for name in ("clap", "tokenizer") if getattr(options, name) is not None]:
        raise ValueError(f"--{unused[0]} goes with audiosep: leave it out")
    from hsmtss_jax.bundles.importers import import_bundle

    check_destination(options.output)  # before the work
    bundle = import_bundle(options.kind, options.source, options.heads, options.licence)
    print_saved(save_bundle(options.output, bundle, options.storage), options.storage)
    return 0


def _import_separator(options: ImportOptions) -> int:
    """Write a separator and its query encoder as a pipeline, which separates as it is."""
    from hsmtss_jax.bundles.importers.separators import SeparatorSource, import_separator
    from hsmtss_jax.bundles.pipeline import PipelineConfig, check_pipeline, write_pipeline

    check_pipeline(options.output)  # before the work
    source = SeparatorSource(
        network=options.source,
        clap=options.clap,
        tokenizer=options.tokenizer,
        heads=options.heads,
    )
    bundles = import_separator(source, options.licence)
    config = PipelineConfig(
        bundles={},
        separator="mask_separator",
        storage={"*": options.storage},
        licence=options.licence or "see the source",
    )
    print_pipeline(write_pipeline(config, bundles, options.output))
    return 0


COMMAND = Command(
    description="Turn public weights into a bundle. audio_mae: the official pretrained.pth or a timm "
    "port; mw_mae: a flax checkpoint, of which the encoder blocks are kept; text_encoder: FLAN-T5 of any "
    "size, BERT or MiniLM; gpt2; tf_codec: the public 6 kbps model (.ckpt); "
    "panns: Cnn14_16k_mAP=0.438.pth, a judge for hsmtss evaluate; audiosep: AudioSep's checkpoint or one "
    "of its kind, with CLAP's text tower: a pipeline that separates as it is. PyTorch files need the "
    "extra 'torch'.",
    epilog="examples: hsmtss import text_encoder google/flan-t5-base -o runs/text_encoder/bundle; "
    "hsmtss import audio_mae pretrained.pth -o runs/audio_mae/bundle; "
    "hsmtss import audiosep audiosep_base_4M_steps.ckpt --tokenizer FacebookAI/roberta-base "
    "-o runs/audiosep",
    options=ImportOptions,
    run=run,
)
