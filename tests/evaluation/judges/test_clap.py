"""CLAP as a judge: fixed crops, transformers' model of random weights, msclap's interface."""

import sys
import types

import numpy as np
import pytest

from hsmtss_jax.audio.io import read_audio
from hsmtss_jax.evaluation.judges.clap import MSClap, fixed_pieces, make_clap

WORDS = ["<pad>", "<unk>", "<s>", "</s>", "a", "dog", "rain"]


def test_crops_stand_at_fixed_places():
    sound = np.arange(10)
    assert [list(piece) for piece in fixed_pieces(sound, 4)] == [
        *([0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]),
    ]
    assert len(fixed_pieces(sound, 10)) == 1 and fixed_pieces(sound, 12)[0] is sound


def tiny_clap(folder):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", unk_token="<unk>"
    )
    shared = {"hidden_size": 16, "projection_dim": 12}
    text = {
        "vocab_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 40,
    }
    audio = {
        "spec_size": 64,
        "num_mel_bins": 16,
        "window_size": 2,
        "patch_stride": [4, 4],
        "depths": [1, 1],
        "num_attention_heads": [1, 2],
        "patch_embeds_hidden_size": 8,
        "enable_fusion": False,
        "num_classes": 3,
    }
    torch.manual_seed(0)
    config = transformers.ClapConfig(
        text_config=text | shared, audio_config=audio | shared, projection_dim=12
    )
    features = transformers.ClapFeatureExtractor(
        feature_size=16, max_length_s=2, truncation="rand_trunc", padding="repeatpad"
    )
    transformers.ClapModel(config).save_pretrained(folder)
    transformers.ClapProcessor(features, tokenizer).save_pretrained(folder)


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
def test_a_clap_model_of_transformers(tmp_path):
    tiny_clap(tmp_path / "tiny-clap")
    clap = make_clap(str(tmp_path / "tiny-clap"))
    assert clap.name == "tiny-clap"
    audio = 0.1 * np.random.RandomState(0).normal(size=(2, 50_000)).astype(np.float32)  # over 2 s
    found = clap.embed_audio(audio)
    assert found.shape == (2, 12) and np.all(np.linalg.norm(found, axis=1) > 0.5)
    np.testing.assert_array_equal(found, clap.embed_audio(audio))  # nothing is drawn
    texts = clap.embed_text(["a dog", "rain"])
    np.testing.assert_allclose(np.linalg.norm(texts, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(clap.embed_text(["rain"])[0], texts[1], atol=1e-5)


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
def test_what_is_no_clap_is_one_line(tmp_path):
    pytest.importorskip("torch")
    with pytest.raises(ValueError, match="is no CLAP of transformers: give msclap"):
        make_clap(str(tmp_path))


class FakeMSClap:
    """The members of ``msclap.CLAP`` that we call; a sound is embedded by its length and loudest sample."""

    def __init__(self, version, use_cuda):
        assert version == "2023" and use_cuda is False

    def get_audio_embeddings(self, audio_files, resample):
        torch = pytest.importorskip("torch")
        sounds = [read_audio(path) for path in audio_files]
        assert all(sound.sample_rate == 44_100 for sound in sounds)
        rows = [[len(sound.samples) / 44_100, np.abs(sound.samples).max()] for sound in sounds]
        return torch.tensor(rows)

    def get_text_embeddings(self, class_labels):
        torch = pytest.importorskip("torch")
        return torch.tensor([[float(len(text)), 1.0] for text in class_labels])


@pytest.mark.extra
def test_msclap_is_given_crops_of_its_own_length(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setitem(sys.modules, "msclap", types.SimpleNamespace(CLAP=FakeMSClap))
    clap = make_clap("msclap")
    short, long = (
        clap.embed_audio(0.5 * np.ones((1, seconds * 16_000), np.float32)) for seconds in (3, 9)
    )
    np.testing.assert_allclose(short[0, 0], 3.0, atol=1e-3)
    np.testing.assert_allclose(long[0, 0], 7.0, atol=1e-3)
    np.testing.assert_array_equal(clap.embed_text(["dog"]), [[3, 1]])


def test_msclap_says_what_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "msclap", None)
    with pytest.raises(ValueError, match="MSCLAP needs its package: pip install msclap"):
        MSClap()
