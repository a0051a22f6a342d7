"""A state dict with the names and shapes of the public TF-Codec (its 20 ms models), numbers drawn by
numpy's RandomState: the same on every machine, so that outputs can be kept beside the tests."""

import numpy as np

TINY = {"channels": (4, 8, 8, 8), "hidden": 16, "latent": 32, "groups": 4, "codes": 16}


def tf_codec_shapes(
    channels=(16, 32, 64, 64), hidden=512, latent=480, groups=16, codes=1024
) -> dict[str, tuple[int, ...]]:
    """Name -> shape; the defaults are the 6 kbps model's."""
    width = 5 * channels[-1]
    shapes = {"h0_enc": (1, 1, width), "h0": (1, 1, width)}
    inputs = (2, *channels[:-1])
    for i, (fan, out) in enumerate(zip(inputs, channels, strict=True)):
        shapes |= _conv(f"enc_list.{i}", "conv", (out, fan, 2, 5), out)
    outputs = channels[-2::-1]
    for i, (fan, out) in enumerate(zip(channels[:0:-1], outputs, strict=True)):
        shapes |= _conv(f"dec_list.{i}", "deconv", (fan, out, 2, 5), out)
    shapes |= _conv("dec_list.3.conv2d_dec_1", "conv", (2, channels[0], 2, 5), 2)
    for stack in ("tcm_list_enc", "tcm_list1", "tcm_list2"):
        for i in range(4):
            shapes |= _tcm(f"{stack}.{i}", width, hidden)
    for gru in ("gru_enc", "gru"):
        shapes |= {f"{gru}.{part}_l0": (3 * width, width) for part in ("weight_ih", "weight_hh")}
        shapes |= {f"{gru}.{part}_l0": (3 * width,) for part in ("bias_ih", "bias_hh")}
    shapes |= {"conv1x1_1.weight": (latent, width, 1, 1), "conv1x1_2.weight": (width, latent, 1, 1)}
    code = (1, codes, 4 * latent // groups)
    shapes |= {f"vq_layer_list.{k}.embedding": code for k in range(groups)}
    shapes["out_conv.weight"] = (2, 2, 2, 5)
    return shapes


def tf_codec_state(seed: int = 0, **sizes) -> dict[str, np.ndarray]:
    """Normal weights of about unit gain; codes as far apart as the latents are wide."""
    rng = np.random.RandomState(seed)
    shapes = tf_codec_shapes(**sizes)
    return {name: _draw(name, shapes[name], rng) for name in sorted(shapes)}


def _draw(name: str, shape: tuple[int, ...], rng: np.random.RandomState) -> np.ndarray:
    if "running_var" in name or (".bn" in name and name.endswith("weight")):
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    if "nonlinearity" in name:
        return rng.uniform(0.1, 0.5, shape).astype(np.float32)
    gain = 0.6 if name.endswith("embedding") else 0.3
    if len(shape) == 4:
        inputs = shape[0] if "deconv" in name else shape[1]
        gain = (inputs * shape[2] * shape[3]) ** -0.5
    if name == "out_conv.weight":
        gain *= 6.0  # an audible output: its magnitudes are raised to 1 / 0.3
    if name.startswith("gru"):
        gain = shape[-1] ** -0.5
    return (gain * rng.normal(size=shape)).astype(np.float32)


def _conv(module: str, conv: str, kernel: tuple[int, ...], out: int) -> dict[str, tuple[int, ...]]:
    return {
        f"{module}.{conv}.weight": kernel,
        f"{module}.nonlinearity.weight": (1,),
        **_norm(f"{module}.bn_{conv}", out),
    }


def _tcm(module: str, width: int, hidden: int) -> dict[str, tuple[int, ...]]:
    return {
        f"{module}.conv_first.weight": (hidden, width, 1, 1),
        f"{module}.conv_depthwise.weight": (hidden, 1, 5, 1),
        f"{module}.conv_second.weight": (width, hidden, 1, 1),
        f"{module}.nonlinearity1.weight": (1,),
        f"{module}.nonlinearity2.weight": (1,),
        **_norm(f"{module}.bn_first", hidden),
        **_norm(f"{module}.bn_depthwise", hidden),
    }


def _norm(module: str, width: int) -> dict[str, tuple[int, ...]]:
    return {
        f"{module}.{leaf}": (width,) for leaf in ("weight", "bias", "running_mean", "running_var")
    }
