"""Declare which model a command loads and where it runs: the same options in every command."""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hsmtss_jax.inference.options import RuntimeOptions
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.bundles.bundle import Bundle

HEADING = "model and machine"
WINDOWS = ("segment", "overlap")  # of RuntimeOptions, for commands that do not cut recordings


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelOptions(RuntimeOptions):
    """Declare a pipeline bundle, and where and how it runs."""

    ckpt: str | None = option(
        None, "folder or hub id of a pipeline", metavar="BUNDLE", default_help="the demo bundle"
    )


def _stage_bundle(stage: str) -> Any:
    text = f"bundle of a stage {stage}"
    return option(
        None,
        text,
        metavar="FOLDER",
        default_help="the pipeline's",
        group="bundles of single stages",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class StageBundles:
    """Declare bundles to use in place of a pipeline's."""

    audio_mae: str | None = _stage_bundle("audio_mae")
    text_encoder: str | None = _stage_bundle("text_encoder")
    q_audio: str | None = _stage_bundle("q_audio")
    tf_codec: str | None = _stage_bundle("tf_codec")
    gpt2: str | None = _stage_bundle("gpt2")
    captioner: str | None = _stage_bundle("captioner")


def load_bundles(
    ckpt: str | None, given: StageBundles, roles: Sequence[str]
) -> "dict[str, Bundle]":
    """Return the bundle of every role: the one given for it, else the pipeline's.

    Raises OSError or ValueError for a bundle that is missing or damaged.
    """
    from hsmtss_jax.bundles.bundle import load_bundle
    from hsmtss_jax.bundles.hub import locate
    from hsmtss_jax.bundles.pipeline import load_pipeline

    folders = {role: folder for role in roles if (folder := getattr(given, role))}
    bundles = {role: load_bundle(folder) for role, folder in folders.items()}
    for role, bundle in bundles.items():
        if bundle.stage != role:
            raise ValueError(f"{folders[role]} is a bundle of {bundle.stage}, not of {role}")
    rest = [role for role in roles if role not in folders]
    if ckpt and not rest:
        raise ValueError("--ckpt is of no use beside a bundle for every role: leave one out")
    if rest:
        bundles |= load_pipeline(locate(ckpt), rest).bundles
    return bundles


@contextlib.contextmanager
def on_device(model: RuntimeOptions, cached: bool = True) -> Iterator[Any]:
    """Make --device the default of everything inside, with a compilation cache or none; give the dtype."""
    import jax

    from hsmtss_jax.cli.compilation_cache import enable_compilation_cache
    from hsmtss_jax.dist import compute_dtype, find_device

    device = find_device(model.device)
    if cached:
        enable_compilation_cache()
    with jax.default_device(device):
        yield compute_dtype(model.dtype, device)
