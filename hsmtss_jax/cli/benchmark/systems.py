"""Load --ckpt for the commands of a benchmark: its rows, and the digests of its bundles."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.model import ModelOptions
from hsmtss_jax.inference.options import Mode, SeparateOptions

if TYPE_CHECKING:
    from hsmtss_jax.evaluation.routes import Route


@dataclasses.dataclass(frozen=True)
class Ours:
    """Hold a loaded system's rows and what names it. digests: role -> digest of a bundle."""

    routes: "Sequence[Route]" = ()
    digests: dict[str, str] = dataclasses.field(default_factory=dict)


def load_ours(
    model: ModelOptions,
    separation: SeparateOptions,
    context: Context,
    *,
    modes: Sequence[Mode] | None,
    codec: bool,
) -> Ours:
    """Load a system: a row a mode, and one of its codec.

    Args:
      model: which, and where it runs.
      separation: all but the mode.
      context: loads it.
      modes: None: the system's first.
      codec: whether its codec has a row.

    Raises OSError or ValueError for a bundle that is not there, and a codec that it has not.
    """
    from hsmtss_jax.cli.compilation_cache import enable_compilation_cache
    from hsmtss_jax.evaluation.routes import CodecResynthesis, SeparatorMode
    from hsmtss_jax.inference import Separator
    from hsmtss_jax.inference.pretrained import hierarchical

    enable_compilation_cache()
    runtime = context.load_runtime(model.ckpt, model.dtype, model.device, model.batch)
    separator = Separator(runtime, overlap=model.overlap, segment=model.segment)
    routes: list[Route] = [CodecResynthesis(hierarchical(runtime))] if codec else []
    routes += [
        SeparatorMode(separator, separation.replace(mode=mode))
        for mode in (separator.modes[:1] if modes is None else modes)
    ]
    bundles = getattr(runtime.pipeline, "bundles", {})
    return Ours(routes, {role: bundle.digest for role, bundle in bundles.items()})
