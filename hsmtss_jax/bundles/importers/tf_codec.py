"""Import public TF-Codec checkpoints (microsoft/TF-Codec, 20 ms models).

The file of a training run holds the codec under "gen", beside its discriminator; names may start with
"module." or "generator.". PyTorch's convolutions are [out, in, H, W], its transposed ones
[in, out, H, W]; ours are [H, W, in, out].

Legend: C channels, I and O inputs and outputs of a layer, H kernel frames, W kernel bins, K groups,
V codes, D width of a group's vector.
"""

import re
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict

from hsmtss_jax.bundles.importers.mapping import Convert, Origin, State, fit
from hsmtss_jax.models.tf_codec.model import TFCodecConfig

_FRAMES = 4  # STFT frames of a token, in every 20 ms model
_WHAT = "a TF-Codec of 20 ms frames"
_IGNORED = r"freq2time\.|disc|.*num_batches_tracked$"  # inverse STFT, discriminator, counters
_PREFIX = r"^((gen|module|model|generator)\.)+"
_SHAPES = {  # what the config is read from, and the rank of each
    "enc_list.0.conv.weight": 4,
    "enc_list.1.conv.weight": 4,
    "enc_list.2.conv.weight": 4,
    "enc_list.3.conv.weight": 4,
    "tcm_list_enc.0.conv_first.weight": 4,
    "conv1x1_1.weight": 4,
    "vq_layer_list.0.embedding": 3,
}


def tf_codec_config(state: State) -> TFCodecConfig:
    """Derive our config from the shapes of a state dict.

    Raises:
      ValueError: they are not those of a 20 ms TF-Codec with a fixed compression.
    """
    shapes = {_rename(name): np.shape(value) for name, value in state.items()}
    if missing := sorted(_SHAPES.keys() - shapes.keys()):
        raise ValueError(
            f"the checkpoint is missing {', '.join(missing)}: it is no TF-Codec; give the generator "
            "of microsoft/TF-Codec's 6 kbps model"
        )
    for name, rank in _SHAPES.items():
        if len(shapes[name]) != rank:
            raise ValueError(f"{name} has shape {shapes[name]}: TF-Codec's has {rank} axes")
    if "power_cprs" in shapes or "enc_list.4.conv.weight" in shapes:
        raise ValueError(
            "the checkpoint is of a TF-Codec with 40 ms frames or learnt compression: only the "
            "20 ms model with a fixed one is supported (6k_20ms_redundant)"
        )
    groups = _count(shapes, r"vq_layer_list\.(\d+)\.")
    config = TFCodecConfig(
        channels=tuple(shapes[f"enc_list.{i}.conv.weight"][0] for i in range(4)),
        tcm_hidden=shapes["tcm_list_enc.0.conv_first.weight"][0],
        tcm_dilations=tuple(2**i for i in range(_count(shapes, r"tcm_list_enc\.(\d+)\."))),
        latent=shapes["conv1x1_1.weight"][0],
        groups=groups,
        codes=shapes["vq_layer_list.0.embedding"][1],
        frames_per_token=_FRAMES,
    )
    if config.latent % groups:
        raise ValueError(
            f"a latent of {config.latent} channels does not divide into {groups} groups"
        )
    return config


def import_tf_codec(config: TFCodecConfig, state: State) -> dict[str, Any]:
    """Convert to {"params", "batch_stats"} of ``config.make()``, float32.

    Raises:
      ValueError: tensors are missing, unexpected or of another shape; the message names them.
    """
    audio = jax.ShapeDtypeStruct((1, config.hop), jnp.float32)
    variables = jax.eval_shape(lambda x: config.make().init(jax.random.key(0), x), audio)
    shapes = {path: leaf.shape for path, leaf in flatten_dict(variables, sep="/").items()}
    origins = dict(_origins(config))
    return fit(_WHAT, state, origins, shapes, ignored=_IGNORED, rename=_rename)


def _origins(config: TFCodecConfig) -> Iterator[tuple[str, Origin]]:
    layers = len(config.channels)
    yield from _front("encoder", "tcm", "tcm_list_enc", "gru_enc", "h0_enc", config)
    yield from _front("decoder", "before", "tcm_list1", "gru", "h0", config)
    for i in range(len(config.tcm_dilations)):
        yield from _tcm(f"decoder/after{i}", f"tcm_list2.{i}")
    for i in range(layers):
        yield from _conv(f"encoder/conv{i}", f"enc_list.{i}", "conv", _conv_kernel)
    for i in range(layers - 1):
        yield from _conv(f"decoder/conv{i}", f"dec_list.{i}", "deconv", _deconv_kernel)
    last = f"dec_list.{layers - 1}.conv2d_dec_1"
    yield from _conv(f"decoder/conv{layers - 1}", last, "conv", _conv_kernel)
    yield "params/decoder/out_kernel", Origin(("out_conv.weight",), _conv_kernel)
    for ours, theirs in (("project_in", "conv1x1_1"), ("project_out", "conv1x1_2")):
        yield f"params/{ours}/kernel", Origin((f"{theirs}.weight",), _pointwise)
    names = tuple(f"vq_layer_list.{k}.embedding" for k in range(config.groups))
    yield "params/quantizer/codebook", Origin(names, _without_first, stacked=True)


def _front(
    root: str, ours: str, theirs: str, gru: str, state: str, config: TFCodecConfig
) -> Iterator[tuple[str, Origin]]:
    """Yield the origins of a stack of TCMs and the GRU after it."""
    for i in range(len(config.tcm_dilations)):
        yield from _tcm(f"{root}/{ours}{i}", f"{theirs}.{i}")
    for leaf, name, convert in (
        ("input_kernel", "weight_ih_l0", np.transpose),
        ("recurrent_kernel", "weight_hh_l0", np.transpose),
        ("input_bias", "bias_ih_l0", np.asarray),
        ("recurrent_bias", "bias_hh_l0", np.asarray),
    ):
        yield f"params/{root}/gru/{leaf}", Origin((f"{gru}.{name}",), convert)
    yield f"params/{root}/gru/initial_state", Origin((state,), np.ravel)


def _conv(ours: str, theirs: str, name: str, kernel: Convert) -> Iterator[tuple[str, Origin]]:
    yield f"params/{ours}/kernel", Origin((f"{theirs}.{name}.weight",), kernel)
    yield from _norm_act(f"{ours}/post", f"{theirs}.bn_{name}", f"{theirs}.nonlinearity")


def _tcm(ours: str, theirs: str) -> Iterator[tuple[str, Origin]]:
    yield f"params/{ours}/expand/kernel", Origin((f"{theirs}.conv_first.weight",), _pointwise)
    depthwise = Origin((f"{theirs}.conv_depthwise.weight",), _depthwise)
    yield f"params/{ours}/depthwise_kernel", depthwise
    yield f"params/{ours}/reduce/kernel", Origin((f"{theirs}.conv_second.weight",), _pointwise)
    for post, norm, act in (
        ("expand_post", "bn_first", "nonlinearity1"),
        ("depthwise_post", "bn_depthwise", "nonlinearity2"),
    ):
        yield from _norm_act(f"{ours}/{post}", f"{theirs}.{norm}", f"{theirs}.{act}")


def _norm_act(ours: str, norm: str, act: str) -> Iterator[tuple[str, Origin]]:
    for path, name in (
        ("params/{}/norm/scale", "weight"),
        ("params/{}/norm/bias", "bias"),
        ("batch_stats/{}/norm/mean", "running_mean"),
        ("batch_stats/{}/norm/var", "running_var"),
    ):
        yield path.format(ours), Origin((f"{norm}.{name}",))
    yield f"params/{ours}/act/slope", Origin((f"{act}.weight",), _scalar)


def _conv_kernel(weight: np.ndarray) -> np.ndarray:
    """Convert [O, I, H, W] -> [H, W, I, O]."""
    return weight.transpose(2, 3, 1, 0)


def _deconv_kernel(weight: np.ndarray) -> np.ndarray:
    """Convert [I, O, H, W] -> [H, W, I, O]."""
    return weight.transpose(2, 3, 0, 1)


def _pointwise(weight: np.ndarray) -> np.ndarray:
    """Convert [O, I, 1, 1] -> [I, O]."""
    return _conv_kernel(weight).reshape(weight.shape[1], weight.shape[0])


def _depthwise(weight: np.ndarray) -> np.ndarray:
    """Convert [C, 1, H, 1] -> [H, 1, C]."""
    return weight.transpose(2, 3, 1, 0)[:, :, 0]


def _without_first(embedding: np.ndarray) -> np.ndarray:
    """Convert [1, V, D] -> [V, D]."""
    return embedding.reshape(embedding.shape[1:])


def _scalar(weight: np.ndarray) -> np.ndarray:
    """Convert [1] -> []."""
    return weight.reshape(())


def _count(names: Any, pattern: str) -> int:
    """Return one more than the largest number that the pattern finds."""
    found = [re.match(pattern, name) for name in names]
    return 1 + max((int(match[1]) for match in found if match), default=0)


def _rename(key: str) -> str:
    return re.sub(_PREFIX, "", key)
