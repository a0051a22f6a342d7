"""AFSim's embedding from an audio language model of transformers, with random weights."""

import numpy as np
import pytest

from hsmtss_jax.evaluation.judges.audio_language import AudioLanguageModel

pytestmark = [pytest.mark.extra, pytest.mark.filterwarnings("ignore")]
torch = pytest.importorskip("torch")
WORDS = ["<pad>", "<unk>", "<s>", "</s>", "<sound>", "user", "Describe", "the", "sound"]
TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }} {% for c in m['content'] %}"
    "{% if c['type'] == 'audio' %}<sound>{% else %}{{ c['text'] }}{% endif %} {% endfor %}{% endfor %}"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny Audio Flamingo 3, as its real classes save it."""
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    if not hasattr(transformers, "AudioFlamingo3ForConditionalGeneration"):
        pytest.skip("this transformers has no Audio Flamingo")
    where = tmp_path_factory.mktemp("models") / "tiny-flamingo"
    words = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="<pad>",
        unk_token="<unk>",
        eos_token="</s>",
        additional_special_tokens=["<sound>"],
    )
    features = transformers.WhisperFeatureExtractor(feature_size=8, chunk_length=2)
    audio = {
        "model_type": "audioflamingo3_encoder",
        "num_mel_bins": 8,
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_source_positions": 100,
    }
    text = {
        "model_type": "qwen2",
        "vocab_size": 32,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
    }
    torch.manual_seed(0)
    config = transformers.AudioFlamingo3Config(
        audio_config=audio,
        text_config=text,
        audio_token_id=tokenizer.convert_tokens_to_ids("<sound>"),
    )
    transformers.AudioFlamingo3ForConditionalGeneration(config).save_pretrained(where)
    processor = transformers.AudioFlamingo3Processor(features, tokenizer, chat_template=TEMPLATE)
    processor.save_pretrained(where)
    return where


def test_sounds_are_embedded_one_by_one(folder):
    model = AudioLanguageModel.load(str(folder), prompt="Describe the sound")
    audio = 0.3 * np.random.RandomState(0).normal(size=(2, 20_000)).astype(np.float32)
    found = model.embed_audio(audio)
    assert model.name == "tiny-flamingo" and found.shape == (2, 16)
    np.testing.assert_array_equal(model.embed_audio(audio[1:]), found[1:])
    assert np.abs(found[0] - found[1]).max() > 0
    other = AudioLanguageModel.load(str(folder), prompt="the")
    assert np.abs(other.embed_audio(audio[:1]) - found[:1]).max() > 1e-3


def test_what_is_no_such_model_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="is no audio language model of transformers"):
        AudioLanguageModel.load(str(tmp_path))
