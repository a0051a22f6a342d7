"""Cnn14 and its front end against PyTorch and librosa, by random weights: audio to logits."""

import numpy as np
import pytest

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.bundles.importers.cnn14 import cnn14_config, import_cnn14
from hsmtss_jax.evaluation.judges.cnn14 import Cnn14Judge
from tests.bundles.importers.cnn14_state import cnn14_state

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]
torch = pytest.importorskip("torch")
librosa = pytest.importorskip("librosa")


def reference(state, audio, blocks):
    """PANNs' Cnn14 in evaluation, by torch's functions: logits and embedding of one sound [L]."""
    tensors = {name: torch.from_numpy(np.asarray(value)) for name, value in state.items()}
    f = torch.nn.functional

    def norm(x, name):
        mean, var = tensors[f"{name}.running_mean"], tensors[f"{name}.running_var"]
        return f.batch_norm(x, mean, var, tensors[f"{name}.weight"], tensors[f"{name}.bias"])

    def linear(x, name):
        return f.linear(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"])

    mel = librosa.feature.melspectrogram(
        y=audio, sr=16_000, n_fft=512, hop_length=160, n_mels=64, fmin=50, fmax=8_000,
        pad_mode="reflect",
    )  # fmt: skip
    x = torch.from_numpy(librosa.power_to_db(mel, ref=1.0, amin=1e-10, top_db=None).T)[None, None]
    x = norm(x.transpose(1, 3), "bn0").transpose(1, 3).float()
    for i in range(1, blocks + 1):
        for j in (1, 2):
            x = f.conv2d(x, tensors[f"conv_block{i}.conv{j}.weight"], padding=1)
            x = torch.relu(norm(x, f"conv_block{i}.bn{j}"))
        x = f.avg_pool2d(x, (2, 2)) if i < blocks else x
    x = x.mean(dim=3)
    embedding = torch.relu(linear(x.max(dim=2).values + x.mean(dim=2), "fc1"))
    return linear(embedding, "fc_audioset").numpy()[0], embedding.numpy()[0]


def test_audio_to_logits():
    state = cnn14_state()
    config = cnn14_config(state)
    described = {"model": {"channels": config.channels, "width": 7, "classes": 9}}
    judge = Cnn14Judge(Bundle("cnn14", described, import_cnn14(config, state)))
    audio = np.random.RandomState(0).normal(size=(2, 40_000)).astype(np.float32) * 0.1
    audio[1, 20_000:] = 0.0
    audio -= audio.mean(axis=1, keepdims=True)
    found = judge(audio)
    for i, sound in enumerate(audio):
        logits, embedding = reference(state, sound, 3)
        scale = np.abs(logits).max()
        np.testing.assert_allclose(found.logits[i], logits, atol=1e-4 * scale)
        np.testing.assert_allclose(found.embedding[i], embedding, atol=1e-4 * embedding.max())
