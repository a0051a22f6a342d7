"""Padding, truncation, task words and pickling of the tokenizer, on small home-made tokenizers."""

import pickle

import numpy as np
import pytest
from tokenizers import Tokenizer as Fast
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.models.text.tokenizer import END, CausalTokenizer, Tokenizer
from hsmtss_jax.testing.bundles import tiny_upstream

WORDS = ["extract", "remove", "a", "dog", "bark", "##ing", "loud", "the"]


def bert_json() -> str:
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS]
    fast = Fast(models.WordPiece({w: i for i, w in enumerate(vocab)}, unk_token="[UNK]"))
    fast.normalizer = normalizers.BertNormalizer()
    fast.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    fast.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    fast.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    fast.enable_padding(length=128)
    fast.enable_truncation(128)
    return fast.to_str()


def t5_json() -> str:
    pieces = ["▁extract", "▁remove", "▁a", "▁dog", "▁", "b", "a", "r", "k"]
    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((p, -1.0) for p in pieces)]
    fast = Fast(models.Unigram(vocab, unk_id=2))
    fast.pre_tokenizer = pre_tokenizers.Metaspace()
    fast.decoder = decoders.Metaspace()
    fast.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    fast.add_special_tokens(["<pad>", "</s>", "<unk>"])
    return fast.to_str()


@pytest.fixture(params=[bert_json, t5_json], ids=["bert", "t5"])
def tokenizer(request):
    return Tokenizer(request.param())


def test_static_shapes(tokenizer):
    ids, mask = tokenizer(["a dog", "a dog bark a dog bark a dog", ""], 6)
    assert ids.shape == mask.shape == (3, 6)
    assert ids.dtype == np.int32 and mask.dtype == np.bool_
    assert np.all(ids[~mask] == tokenizer.pad_id) and mask[1].all()
    assert mask[2].any()  # special tokens: no text is ever fully masked


def test_special_tokens_survive_truncation():
    ids, _ = Tokenizer(bert_json())(["a dog barking a loud dog"], 4)
    assert ids[0].tolist() == [2, 6, 7, 3]
    ids, _ = Tokenizer(t5_json())(["a dog bark a dog"], 3)
    assert ids[0].tolist() == [5, 6, 1]


def test_lengths_may_change_between_calls(tokenizer):
    short, _ = tokenizer(["a dog"], 4)
    long, _ = tokenizer(["a dog"], 9)
    again, _ = tokenizer(["a dog"], 4)
    assert long.shape == (1, 9)
    np.testing.assert_array_equal(short, again)
    np.testing.assert_array_equal(short[0], long[0, :4])


def test_task_ids(tokenizer):
    extract, remove = tokenizer.task_ids("extract"), tokenizer.task_ids("remove")
    assert extract.shape == remove.shape == (1,) and extract[0] != remove[0]
    with pytest.raises(ValueError, match="unknown task"):
        tokenizer.task_ids("mute")


def test_pickle(tokenizer):
    copy = pickle.loads(pickle.dumps(tokenizer))
    for mine, theirs in zip(tokenizer(["a dog"], 5), copy(["a dog"], 5), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_decode(tokenizer):
    ids, _ = tokenizer(["a dog"], 8)
    assert tokenizer.decode(ids[0]) == "a dog"


def test_from_bundle():
    bundle = Bundle("text_encoder", {}, {}, files={"tokenizer.json": bert_json().encode()})
    assert Tokenizer.from_bundle(bundle).vocab == 12
    with pytest.raises(ValueError, match=r"no tokenizer\.json"):
        Tokenizer.from_bundle(Bundle("text_encoder", {}, {}))


def test_a_causal_tokenizer_ends_texts_and_pads_with_the_end():
    bundle = tiny_upstream(["gpt2"])["gpt2"]
    causal = CausalTokenizer.from_bundle(bundle)
    ids, mask = causal(["a dog", "a dog barks and barks"], 6)
    assert mask.sum(axis=1).tolist()[1] == 6  # cut: no room for the end
    length = int(mask[0].sum())
    assert ids[0, length - 1] == causal.end_id and set(ids[0, length:]) <= {causal.end_id}
    assert causal.decode(ids[0]) == Tokenizer.from_bundle(bundle).decode(ids[0, : length - 1])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(causal))(["a dog"], 6)[0][0], ids[0])


def test_a_causal_tokenizer_needs_an_end():
    with pytest.raises(ValueError, match=END.replace("|", r"\|")):
        CausalTokenizer(bert_json())


def test_a_damaged_file_is_one_line():
    with pytest.raises(ValueError, match="not a fast tokenizer's file: download it again"):
        Tokenizer("{}")
