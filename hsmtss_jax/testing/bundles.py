"""Bundles with random weights of the right shapes, for tests and measurements of speed.

The sizes are those of the config files; nothing is compiled, weights are drawn by numpy.
"""

import dataclasses
import functools
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.bundles.pipeline import ROLES, Pipeline
from hsmtss_jax.config import ExperimentConfig, load_config
from hsmtss_jax.conversion import to_dict
from hsmtss_jax.models.gpt2 import GPT2Config
from hsmtss_jax.models.text import encoder as text_encoder
from hsmtss_jax.models.text.encoder import TextEncoderConfig
from hsmtss_jax.models.text.tokenizer import END
from hsmtss_jax.sampling.policies import Policy
from hsmtss_jax.stages import stage_class
from hsmtss_jax.train.stage import Stage, StepInput

ROOT = Path(__file__).resolve().parents[2]
TEXT_ENCODERS: dict[str, Callable[[], TextEncoderConfig]] = {
    "paper": text_encoder.flan_t5_base,
    "base": text_encoder.minilm_l6,
    "demo": text_encoder.minilm_l6,
    "tiny": text_encoder.tiny,
}


def tiny_upstream(
    names: Iterable[str], size: str = "tiny", *, abstract: bool = False
) -> dict[str, Bundle]:
    """Return name -> a bundle of that stage at ``size``, as its config describes it, of random weights.

    Weights are drawn by numpy in the shapes of ``init``: nothing is compiled. Equal calls give equal
    bundles. abstract: leave the weights as ShapeDtypeStructs (the paper's sizes cost nothing then).
    """
    return {name: _bundle(name, size, abstract) for name in names}


def make_stage(name: str, size: str = "tiny", *, abstract: bool = False, **data: Any) -> Stage:
    """Build the stage of ``configs/<name>.py`` at ``size`` on random upstream bundles.

    data: fields of its data config to replace.
    """
    config = load_config(name, size, ExperimentConfig)
    return build_stage(config, size, abstract=abstract, **data)


def build_stage(
    config: ExperimentConfig,
    size: str,
    *,
    abstract: bool = False,
    dtype: Any = jnp.float32,
    **data: Any,
) -> Stage:
    """Build the stage of an experiment on random upstream bundles of ``size``, as ``make_stage`` does.

    Args:
      config: the experiment.
      size: of the upstream bundles.
      abstract: leave their weights as shapes.
      dtype: what the networks compute in.
      data: fields of its data config to replace.
    """
    kind = stage_class(config.stage.name)
    start = {"initial_codec": "tf_codec"} if "initial_codec" in config.upstream else {}
    upstream = tiny_upstream([*kind.upstream_names, *start.values()], size, abstract=abstract)
    upstream |= {name: upstream.pop(stage) for name, stage in start.items()}
    return kind(config.stage, dataclasses.replace(config.data, **data), upstream, dtype)


def frozen_params(stage: Stage) -> dict[str, Any]:
    """Return what the trainer hands a stage as ``frozen`` in ``init``."""
    return {name: bundle.params for name, bundle in stage.upstream.items()}


def step_input(
    stage: Stage,
    params: Any,
    batch: Mapping[str, Any],
    *,
    aux: Any = None,
    frozen: Mapping[str, Any] | None = None,
    key: int = 0,
) -> StepInput:
    """Return what the trainer hands an objective, an evaluation or a panel of the stage.

    Args:
      stage: the stage.
      params: parameters by group.
      batch: arrays by name.
      aux: non-gradient state; None is none.
      frozen: upstream weights; None is those that steps read.
      key: seed of the PRNG key.
    """
    if frozen is None:
        whole = frozen_params(stage)
        frozen = {name: tree for name, tree in whole.items() if name not in stage.init_only_names}
    state = {} if aux is None else aux
    return StepInput(params, state, frozen, batch, jax.random.key(key), jnp.zeros((), jnp.int32))


def random_pipeline(size: str) -> Pipeline:
    """Return all stages of a pipeline at one size: as fast as a trained one, and as useless."""
    bundles = tiny_upstream(ROLES, size)
    return Pipeline(bundles, Policy(temperature=1.0, top_k=0), {}, Path(f"random {size}"))


def zero_batch(stage: Stage) -> dict[str, jax.Array]:
    """Return zeros in the shapes of the stage's batch."""
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
        "base": GPT2Config(vocab=1024, width=256, depth=4, heads=4, max_positions=128),
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
    """Return a word-piece tokenizer of 64 ids: four special tokens, the task words, letters and signs."""
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
    """Draw random weights in the given shapes: kernels of unit gain, biases 0, scales and variances 1."""
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
