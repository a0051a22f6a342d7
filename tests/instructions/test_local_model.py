"""A causal language model through transformers: a tiny one with random weights."""

import json
import sys

import pytest

from hsmtss_jax.instructions import Instruction, parser
from hsmtss_jax.instructions.local_model import LocalModel, chat_tokens

TEXT = "Please remove the dog barking"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A GPT-2 of two small layers with a byte-level tokenizer, saved as transformers does."""
    pytest.importorskip("torch").manual_seed(0)
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate([*alphabet, "<end>"])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    path = tmp_path_factory.mktemp("gpt2")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>").save_pretrained(path)
    ends = {"bos_token_id": 256, "eos_token_id": 256}
    size = {"vocab_size": 257, "n_positions": 8192, "n_embd": 8, "n_layer": 2, "n_head": 2}
    GPT2LMHeadModel(GPT2Config(**size, **ends)).save_pretrained(path)
    return path


@pytest.mark.parity
def test_random_weights_fall_back(folder):
    found = parser("local", generate=LocalModel(str(folder), new_tokens=4).complete)(TEXT)
    assert found == Instruction("remove", "dog barking") and found.source == "rules"
    assert "not a JSON object" in found.note


@pytest.mark.parity
def test_a_model_without_room_falls_back(folder, tmp_path):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    from transformers import GPT2Config, GPT2LMHeadModel

    size = {"vocab_size": 257, "n_positions": 64, "n_embd": 8, "n_layer": 1, "n_head": 2}
    GPT2LMHeadModel(GPT2Config(**size)).save_pretrained(tmp_path)
    found = parser("local", model=str(tmp_path))(TEXT)
    assert found.source == "rules" and "room for 64 tokens" in found.note


@pytest.mark.parity
def test_chat_template_is_used(folder):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    messages = [{"role": "user", "content": "hum"}]
    plain = chat_tokens(tokenizer, messages)["input_ids"]
    tokenizer.chat_template = "{% for m in messages %}<{{ m.content }}>{% endfor %}"
    chat = chat_tokens(tokenizer, messages)["input_ids"]
    assert tokenizer.decode(plain[0]) == "Request: hum\n\nAnswer:"
    assert tokenizer.decode(chat[0]) == "<hum>"


@pytest.mark.extra
def test_no_such_model(tmp_path):
    pytest.importorskip("torch")
    with pytest.raises(ValueError, match="cannot load the language model"):
        parser("local", model=str(tmp_path))


def test_without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ValueError, match=r"pip install 'hsmtss-jax\[torch\]'"):
        parser("local", model="any")


def test_a_function_instead_of_a_model():
    answer = json.dumps({"task": "remove", "description": "the dog barking"})
    found = parser("local", generate=lambda messages: answer)(TEXT)
    assert found == Instruction("remove", "the dog barking") and found.source == "local"
