"""Import PANNs' Cnn14 at 16 kHz (``Cnn14_16k_mAP=0.438.pth``): the judge of the paper's KL.

The file also holds the spectrogram's DFT matrices and its mel filters, which are constants here; the
filters tell the sample rate.
"""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict

from hsmtss_jax.bundles.importers.mapping import (
    Origin,
    State,
    batch_norm,
    conv_kernel,
    fit,
    transpose,
)
from hsmtss_jax.models.judges.cnn14 import Cnn14Config

_BINS = 257  # of the 16 kHz model's spectrogram: 512 samples
_IGNORED = r"spectrogram_extractor\.|logmel_extractor\.|.*num_batches_tracked$"


def cnn14_config(state: State) -> Cnn14Config:
    """Derive our config from the shapes of a state dict. Raises ValueError: no Cnn14, or not of 16 kHz."""
    shapes = {_rename(name): np.shape(value) for name, value in state.items()}
    names = (f"conv_block{i}.conv1.weight" for i in itertools.count(1))
    channels = tuple(shapes[name][0] for name in itertools.takewhile(shapes.__contains__, names))
    wanted = {"bn0.weight": 1, "fc1.weight": 2, "fc_audioset.weight": 2}
    if not channels or any(len(shapes.get(name, ())) != rank for name, rank in wanted.items()):
        raise ValueError(
            "the checkpoint is no Cnn14: give Cnn14_16k_mAP=0.438.pth of PANNs' published models"
        )
    filters = shapes.get("logmel_extractor.melW", (_BINS,))
    if filters[0] != _BINS:
        raise ValueError(
            f"the checkpoint's mel filters have {filters[0]} bins, those of 16 kHz {_BINS}: "
            "give Cnn14_16k_mAP=0.438.pth"
        )
    return Cnn14Config(
        channels=channels,
        n_mels=shapes["bn0.weight"][0],
        width=shapes["fc1.weight"][0],
        classes=shapes["fc_audioset.weight"][0],
    )


def import_cnn14(config: Cnn14Config, state: State) -> dict[str, Any]:
    """Convert to {"params", "batch_stats"} of ``config.make()``, float32.

    Raises ValueError for tensors that are missing, unexpected or of another shape; the message names them.
    """
    log_mel = jax.ShapeDtypeStruct((1, config.shortest, config.n_mels), jnp.float32)
    frames = jax.ShapeDtypeStruct((1,), jnp.int32)
    variables = jax.eval_shape(
        lambda x, n: config.make().init(jax.random.key(0), x, n), log_mel, frames
    )
    shapes = {path: leaf.shape for path, leaf in flatten_dict(variables, sep="/").items()}
    origins = dict(_origins(config))
    return fit("Cnn14", state, origins, shapes, ignored=_IGNORED, rename=_rename)


def _origins(config: Cnn14Config) -> Iterator[tuple[str, Origin]]:
    yield from batch_norm("bands_norm", "bn0")
    for block in range(len(config.channels)):
        theirs = f"conv_block{block + 1}"
        for i in (1, 2):
            kernel = Origin((f"{theirs}.conv{i}.weight",), conv_kernel)
            yield f"params/block{block}/conv{i}/kernel", kernel
            yield from batch_norm(f"block{block}/norm{i}", f"{theirs}.bn{i}")
    for ours, theirs in (("embedding", "fc1"), ("classifier", "fc_audioset")):
        yield f"params/{ours}/kernel", Origin((f"{theirs}.weight",), transpose)
        yield f"params/{ours}/bias", Origin((f"{theirs}.bias",))


def _rename(key: str) -> str:
    return re.sub(r"^((module|model)\.)+", "", key)
