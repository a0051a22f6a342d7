"""Import AudioSep's network (Audio-AGI/AudioSep) and others of its kind: ResUNet30, queried by a vector.

A Lightning checkpoint names it ss_model.base and, for what the query does, ss_model.film; the query's
encoder may lie beside it. PyTorch's convolutions are [O, I, H, W]; its transposed ones [I, O, H, W], and
they write their taps in the other order than flax's: both spatial axes are reversed. The checkpoint
holds layers that nothing reads (a second norm of every decoder block with its shift) and the STFT as
convolutions; they are left out.

Legend: O and I outputs and inputs, H kernel frames, W kernel bins, E width of the query.
"""

import re
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict

from hsmtss_jax.bundles.importers.mapping import (
    Convert,
    Origin,
    State,
    batch_norm,
    conv_kernel,
    fit,
    transpose,
)
from hsmtss_jax.models.mask_separator import MaskSeparatorConfig, audiosep

_WHAT = "AudioSep's ResUNet30"
_PREFIX = r"^((module|model|ss_model)\.)+"
_IGNORED = (
    r"query_encoder\.|base\.i?stft\.|base\.decoder_block\d+\.bn2\.|"
    r"film\.decoder_block\d+->beta2\.|.*num_batches_tracked$"
)
_BINS, _IN = "base.bn0.weight", "base.pre_conv.weight"
_LEVEL = "base.encoder_block{}.conv_block1.conv2.weight"
_QUERY = "film.encoder_block1->conv_block1->beta1.weight"


def audiosep_config(state: State) -> MaskSeparatorConfig:
    """Derive our config from the shapes of a state dict.

    The rate and the hop are no tensors: windows last 64 ms and start every 10 ms, at 32 kHz in AudioSep
    and at 16 kHz in the baselines of DCASE.

    Raises:
      ValueError: the tensors are not those of such a network.
    """
    shapes = _shapes(state)
    needed = {_BINS: 1, _IN: 4, _LEVEL.format(1): 4, _QUERY: 2}
    if missing := sorted(needed.keys() - shapes.keys()):
        raise ValueError(
            f"the checkpoint is missing {', '.join(missing)}: it is no {_WHAT}; give the file of "
            "Audio-AGI/AudioSep or of a network with its names"
        )
    for name, rank in needed.items():
        if len(shapes[name]) != rank:
            raise ValueError(f"{name} has shape {shapes[name]}: {_WHAT} has {rank} axes there")
    if shapes[_IN][1] != 1:
        raise ValueError(f"the network takes {shapes[_IN][1]} channels: only mono ones are read")
    levels = 1 + max(i for i in range(99) if _LEVEL.format(i + 1) in shapes)
    n_fft, known = 2 * (shapes[_BINS][0] - 1), audiosep()
    config = MaskSeparatorConfig(
        channels=tuple(shapes[_LEVEL.format(i + 1)][0] for i in range(levels)),
        sample_rate=n_fft * known.sample_rate // known.n_fft,
        n_fft=n_fft,
        hop=n_fft * known.hop // known.n_fft,
    )
    config.make()  # raises for bins that cannot be halved
    return config


def query_width(state: State) -> int:
    """Return the width of the queries that a network of ``audiosep_config`` takes, E."""
    return _shapes(state)[_QUERY][1]


def import_audiosep(config: MaskSeparatorConfig, state: State) -> dict[str, Any]:
    """Convert to {"params", "batch_stats"} of ``config.make()``, float32.

    Raises:
      ValueError: tensors are missing, unexpected or of another shape; the message names them.
    """
    audio = jax.ShapeDtypeStruct((1, config.n_fft), jnp.float32)
    query = jax.ShapeDtypeStruct((1, query_width(state)), jnp.float32)
    variables = jax.eval_shape(config.make().init, jax.random.key(0), audio, query)
    shapes = {path: leaf.shape for path, leaf in flatten_dict(variables, sep="/").items()}
    origins = dict(_origins(config))
    return fit(_WHAT, state, origins, shapes, ignored=_IGNORED, rename=_rename)


def _origins(config: MaskSeparatorConfig) -> Iterator[tuple[str, Origin]]:
    levels, before = len(config.channels), config.channels[0]
    yield from batch_norm("bins_norm", "base.bn0")
    yield from _biased("in", "base.pre_conv")
    yield from _biased("out", "base.after_conv")
    for i, channels in enumerate(config.channels):
        block = f"encoder_block{i + 1}", "conv_block1"
        yield from _block(f"encoder_{i}", block, widens=before != channels)
        before = channels
    yield from _block("middle", (f"conv_block{levels + 1}a", "conv_block1"), widens=False)
    for i in range(levels):
        theirs, ours = f"decoder_block{levels - i}", f"decoder_{i}"
        yield from _shifted(f"{ours}/up_input", f"base.{theirs}.bn1", f"film.{theirs}->beta1")
        yield f"params/{ours}/up/kernel", Origin((f"base.{theirs}.conv1.weight",), _deconv_kernel)
        yield from _block(f"{ours}/block", (theirs, "conv_block2"), widens=True)


def _block(ours: str, theirs: tuple[str, str], *, widens: bool) -> Iterator[tuple[str, Origin]]:
    """Yield the origins of a residual block; widens: it has a shortcut."""
    base, film = "base." + ".".join(theirs), "film." + "->".join(theirs)
    for number, name in ((1, "first"), (2, "second")):
        yield from _shifted(f"{ours}/{name}_input", f"{base}.bn{number}", f"{film}->beta{number}")
        yield f"params/{ours}/{name}/kernel", Origin((f"{base}.conv{number}.weight",), conv_kernel)
    if widens:
        yield from _biased(f"{ours}/shortcut", f"{base}.shortcut")


def _shifted(ours: str, norm: str, shift: str) -> Iterator[tuple[str, Origin]]:
    yield from batch_norm(f"{ours}/norm", norm)
    yield from _biased(f"{ours}/shift", shift, transpose)


def _biased(ours: str, theirs: str, kernel: Convert | None = None) -> Iterator[tuple[str, Origin]]:
    yield f"params/{ours}/kernel", Origin((f"{theirs}.weight",), kernel or conv_kernel)
    yield f"params/{ours}/bias", Origin((f"{theirs}.bias",))


def _deconv_kernel(weight: np.ndarray) -> np.ndarray:
    """Convert [I, O, H, W] -> [H, W, I, O], both spatial axes reversed."""
    return weight[:, :, ::-1, ::-1].transpose(2, 3, 0, 1)


def _shapes(state: State) -> dict[str, tuple[int, ...]]:
    return {_rename(name): np.shape(value) for name, value in state.items()}


def _rename(key: str) -> str:
    return re.sub(_PREFIX, "", key)
