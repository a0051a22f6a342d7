"""Bundles with random weights of the right shapes, for tests and benchmarks.

The sizes are those of the config files; nothing is compiled, weights are drawn by numpy.
"""

import dataclasses
import functools
import json
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.bundles.pipeline import ROLES, Pipeline
from hsmtss_jax.config import ExperimentConfig, load_config, to_dict
from hsmtss_jax.models.gpt2 import GPT2Config
from hsmtss_jax.models.text import encoder as text_encoder
from hsmtss_jax.models.text.encoder import TextEncoderConfig
from hsmtss_jax.models.text.tokenizer import END
from hsmtss_jax.sampling.policies import Policy
from hsmtss_jax.stages import STAGES
from hsmtss_jax.train.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
TEXT_ENCODERS: dict[str, Callable[[], TextEncoderConfig]] = {
    "paper": text_encoder.flan_t5_base,
    "demo": text_encoder.minilm_l6,
    "tiny": text_encoder.tiny,
}


def tiny_upstream(
    names: Iterable[str], size: str = "tiny", *, abstract: bool = False
) -> dict[str, Bundle]:
    """Name -> a bundle of that stage at ``size``, as its config describes it, with random weights.

    Weights are drawn by numpy in the shapes of ``init``: nothing is compiled. Equal calls give equal
    bundles. abstract: leave the weights as ShapeDtypeStructs (the paper's sizes cost nothing then).
    """
    return {name: _bundle(name, size, abstract) for name in names}


def make_stage(name: str, size: str = "tiny", *, abstract: bool = False, **data: Any) -> Stage:
    """The stage of ``configs/<name>.py`` at ``size`` on random upstream bundles; data replaces fields."""
    config: ExperimentConfig = load_config(ROOT / "configs" / f"{name}.py", size)
    stage_class = STAGES[name][1]
    upstream = tiny_upstream(stage_class.upstream_names, size, abstract=abstract)
    return stage_class(config.stage, dataclasses.replace(config.data, **data), upstream)


def frozen_params(stage: Stage) -> dict[str, Any]:
    """What the trainer hands a stage as ``frozen`` in ``init``."""
    return {name: bundle.params for name, bundle in stage.upstream.items()}


def random_pipeline(size: str) -> Pipeline:
    """Return all stages of a pipeline at one size: as fast as a trained one, and as useless."""
    bundles = tiny_upstream(ROLES, size)
    return Pipeline(bundles, Policy(temperature=1.0, top_k=0), {}, Path(f"random {size}"))


def zero_batch(stage: Stage) -> dict[str, jax.Array]:
    """Zeros in the shapes of the stage's batch."""
    return {name: jnp.zeros(spec.shape, spec.dtype) for name, spec in stage.batch_spec().items()}


@functools.cache
def _bundle(name: str, size: str, abstract: bool) -> Bundle:
    if name == "text_encoder":
        return _text_encoder(size, abstract)
    if name == "gpt2":
        return _gpt2(size, abstract)
    stage = make_stage(name, size, abstract=abstract)
    shapes = jax.eval_shape(
        lambda key, batch, frozen: stage.release(*stage.init(key, batch, frozen)),
        jax.random.key(0),
        stage.batch_spec(),
        jax.tree.map(_spec, frozen_params(stage)),
    )
    return Bundle(
        stage=name,
        config=json.loads(json.dumps(to_dict(stage.config))),
        params=shapes if abstract else draw(shapes, name),
        digest=f"{name}-{size}",
        upstream={key: bundle.digest for key, bundle in stage.upstream.items()},
    )


def _text_encoder(size: str, abstract: bool) -> Bundle:
    config = TEXT_ENCODERS[size]()
    ids = jax.ShapeDtypeStruct((1, 4), jnp.int32)
    mask = jax.ShapeDtypeStruct((1, 4), jnp.bool_)
    shapes = jax.eval_shape(config.make().init, jax.random.key(0), ids, mask)["params"]
    return Bundle(
        stage="text_encoder",
        config={"name": "text_encoder", "model": to_dict(config)},
        params=shapes if abstract else draw(shapes, "text_encoder"),
        digest=f"text_encoder-{size}",
        files={"tokenizer.json": tokenizer_json().encode()},
    )


def _gpt2(size: str, abstract: bool) -> Bundle:
    config = {
        "tiny": GPT2Config(vocab=65, width=16, depth=2, heads=2, max_positions=96),
        "demo": GPT2Config(vocab=1024, width=256, depth=4, heads=4, max_positions=128),
        "paper": GPT2Config(),
    }[size]
    ids = jax.ShapeDtypeStruct((1, 4), jnp.int32)
    shapes = jax.eval_shape(config.make().init, jax.random.key(0), ids)["params"]
    fast = Tokenizer.from_str(tokenizer_json())
    fast.post_processor = processors.TemplateProcessing(single="$A", special_tokens=[])
    fast.add_special_tokens([AddedToken(END, special=True)])
    return Bundle(
        stage="gpt2",
        config={"name": "gpt2", "model": to_dict(config)},
        params=shapes if abstract else draw(shapes, "gpt2"),
        digest=f"gpt2-{size}",
        files={"tokenizer.json": fast.to_str().encode()},
    )


def tokenizer_json() -> str:
    """A word-piece tokenizer of 64 ids: four special tokens, the task words, letters and signs."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    words = ["extract", "remove", "a", "the", *letters[1:], *(f"##{x}" for x in letters)]
    vocab = [*("[PAD]", "[UNK]", "[CLS]", "[SEP]"), *words, ",", "."]
    vocab += [f"[unused{i}]" for i in range(64 - len(vocab))]
    fast = Tokenizer(models.WordPiece({w: i for i, w in enumerate(vocab)}, unk_token="[UNK]"))
    fast.normalizer = normalizers.BertNormalizer()
    fast.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    fast.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return fast.to_str()


def draw(shapes: Any, seed: str) -> Any:
    """Random weights in the given shapes: kernels of unit gain, biases 0, scales and variances 1."""
    rng = np.random.default_rng(zlib.crc32(seed.encode()))

    def leaf(path: Any, spec: jax.ShapeDtypeStruct) -> np.ndarray:
        name = path[-1].key
        if name in ("scale", "var", "std"):
            return np.ones(spec.shape, spec.dtype)
        if name in ("bias", "mean"):
            return np.zeros(spec.shape, spec.dtype)
        gain = spec.shape[-2] ** -0.5 if name == "kernel" else 0.5
        return (gain * rng.normal(size=spec.shape)).astype(spec.dtype)

    return jax.tree_util.tree_map_with_path(leaf, shapes)


def _spec(x: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(x.shape, x.dtype)
