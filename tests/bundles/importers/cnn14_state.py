"""A state dict with PANNs' names of a small Cnn14, random values."""

import numpy as np


def cnn14_state(channels=(4, 5, 6), n_mels=64, width=7, classes=9, seed=0):
    rng = np.random.default_rng(seed)

    def normal(*shape):
        return rng.normal(size=shape).astype(np.float32)

    def norm(name, size):
        positive = rng.uniform(0.5, 2.0, size=size).astype(np.float32)
        return {
            f"{name}.weight": normal(size),
            f"{name}.bias": normal(size),
            f"{name}.running_mean": normal(size),
            f"{name}.running_var": positive,
            f"{name}.num_batches_tracked": np.asarray(3),
        }

    state = norm("bn0", n_mels)
    state["spectrogram_extractor.stft.conv_real.weight"] = normal(257, 1, 512)
    state["logmel_extractor.melW"] = normal(257, n_mels)
    before = 1
    for i, size in enumerate(channels):
        block = f"conv_block{i + 1}"
        state[f"{block}.conv1.weight"] = normal(size, before, 3, 3)
        state[f"{block}.conv2.weight"] = normal(size, size, 3, 3)
        state |= norm(f"{block}.bn1", size) | norm(f"{block}.bn2", size)
        before = size
    for name, shape in (("fc1", (width, before)), ("fc_audioset", (classes, width))):
        state |= {f"{name}.weight": normal(*shape), f"{name}.bias": normal(shape[0])}
    return state
