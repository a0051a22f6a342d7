"""HSM-TSS in JAX/Flax: text-queried audio source separation by hierarchical semantic modelling.

Source: arXiv 2505.21025. The names below are loaded when they are first used, so that importing the
package costs nothing.

>>> import hsmtss_jax
>>> separator = hsmtss_jax.Separator.from_pretrained()
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hsmtss_jax.audio.io import AudioError as AudioError
    from hsmtss_jax.audio.output import OutputOptions as OutputOptions
    from hsmtss_jax.codec.codec import Codec as Codec
    from hsmtss_jax.inference.captioner import Captioner as Captioner
    from hsmtss_jax.inference.options import SeparateOptions as SeparateOptions
    from hsmtss_jax.inference.separator import Separator as Separator
    from hsmtss_jax.instructions import Instruction as Instruction
    from hsmtss_jax.instructions import parse as parse
    from hsmtss_jax.sampling.policies import Policy as Policy

__version__ = "0.1.0"

_HOMES = {
    "AudioError": "audio.io",
    "Captioner": "inference.captioner",
    "Codec": "codec.codec",
    "Instruction": "instructions",
    "OutputOptions": "audio.output",
    "Policy": "sampling.policies",
    "SeparateOptions": "inference.options",
    "Separator": "inference.separator",
    "parse": "instructions",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
