"""Load the systems of a benchmark, --ckpt and further ones: their rows, and the digests of their bundles."""

import dataclasses
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.model import ModelOptions
from hsmtss_jax.inference.options import Mode, SeparateOptions
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.evaluation.routes import Route
    from hsmtss_jax.inference.system import System


@dataclasses.dataclass(frozen=True, kw_only=True)
class FurtherOptions:
    """Declare further bundles, a row each, as they ship."""

    systems: tuple[str, ...] = option(
        (),
        "another bundle, of any architecture, as it ships: a row of its own",
        repeat=True,
        metavar="NAME=BUNDLE",
        flag="--system",
    )

    def __post_init__(self) -> None:
        for each in self.systems:
            if not re.fullmatch(r"[\w.-]+=.+", each):
                raise ValueError(
                    f"--system {each} is to be NAME=BUNDLE, the row's name and the bundle"
                )


@dataclasses.dataclass(frozen=True)
class Loaded:
    """Hold rows of loaded systems and what names them. digests: role -> digest of a bundle, for each row."""

    routes: "Sequence[Route]" = ()
    digests: dict[str, str] = dataclasses.field(default_factory=dict)


def load_further(
    options: FurtherOptions, model: ModelOptions, seed: int, context: Context
) -> Loaded:
    """Load further systems on the device of --ckpt. Raises OSError or ValueError for a bundle."""
    from hsmtss_jax.evaluation.routes import SeparatorMode
    from hsmtss_jax.inference import Separator

    routes: list[Route] = []
    digests: dict[str, str] = {}
    for each in options.systems:
        name, _, bundle = each.partition("=")
        runtime = context.load_runtime(bundle, model.dtype, model.device, model.batch)
        separator = Separator(runtime)
        mode = SeparateOptions(mode=separator.modes[0], seed=seed)
        routes.append(SeparatorMode(separator, mode, name))
        digests |= {f"{name}/{role}": digest for role, digest in _digests(runtime).items()}
    return Loaded(routes, digests)


def load_ours(
    model: ModelOptions,
    separation: SeparateOptions,
    context: Context,
    *,
    modes: Sequence[Mode] | None,
    codec: bool,
) -> Loaded:
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
    return Loaded(routes, _digests(runtime))


def _digests(runtime: "System") -> dict[str, str]:
    bundles = getattr(runtime.pipeline, "bundles", {})
    return {role: bundle.digest for role, bundle in bundles.items()}
