"""A pipeline with random weights at any size: as fast or slow as a trained one, and as useless.

The sizes are those of the config files; nothing is compiled, weights are drawn by numpy.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from hsmtss_jax.bundle import Bundle
from hsmtss_jax.config import ExperimentConfig, load_config, to_dict
from hsmtss_jax.inference.pipeline import ROLES, Pipeline
from hsmtss_jax.models import text_encoder
from hsmtss_jax.sampling.policies import Policy
from hsmtss_jax.stages import STAGES

TEXT_ENCODERS = {
    "paper": text_encoder.flan_t5_base,
    "demo": text_encoder.minilm_l6,
    "tiny": text_encoder.tiny,
}


def random_pipeline(size: str, configs: Path) -> Pipeline:
    """All stages of a pipeline at one size. configs: the folder of the config files.

    Raises ValueError or OSError for a config that is missing or wrong.
    """
    shapes: dict[str, Bundle] = {}
    for role in ROLES:
        _shapes(role, size, configs, shapes)
    bundles = {
        role: dataclasses.replace(shapes[role], params=_draw(shapes[role].params)) for role in ROLES
    }
    return Pipeline(bundles, Policy(temperature=1.0, top_k=0), {}, Path(f"random {size}"))


def _shapes(name: str, size: str, configs: Path, known: dict[str, Bundle]) -> Bundle:
    """A stage's bundle with shapes for weights; ``known`` keeps it, and those it builds on."""
    if name not in known:
        make = _text_encoder if name == "text_encoder" else _stage
        known[name] = make(name, size, configs, known)
    return known[name]


def _stage(name: str, size: str, configs: Path, known: dict[str, Bundle]) -> Bundle:
    config = load_config(configs / f"{name}.py", size, ExperimentConfig)
    stage_class = STAGES[name][1]
    needed = stage_class.upstream_names
    upstream = {other: _shapes(other, size, configs, known) for other in needed}
    stage = stage_class(config.stage, config.data, upstream)
    shapes = jax.eval_shape(
        lambda key, batch, frozen: stage.release(*stage.init(key, batch, frozen)),
        jax.random.key(0),
        stage.batch_spec(),
        {other: bundle.params for other, bundle in upstream.items()},
    )
    plain = json.loads(json.dumps(to_dict(config.stage)))
    return Bundle(stage=name, config=plain, params=shapes)


def _text_encoder(name: str, size: str, configs: Path, known: dict[str, Bundle]) -> Bundle:
    config = TEXT_ENCODERS[size]()
    ids, mask = (jax.ShapeDtypeStruct((1, 4), kind) for kind in (jnp.int32, jnp.bool_))
    shapes = jax.eval_shape(config.make().init, jax.random.key(0), ids, mask)["params"]
    files = {"tokenizer.json": _letters().encode()}
    return Bundle(name, {"name": name, "model": to_dict(config)}, shapes, files=files)


def _letters() -> str:
    """A tokenizer that spells: a token a letter, and the two tasks."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "extract", "remove", *letters]
    words += [f"##{letter}" for letter in letters]
    spell = Tokenizer(models.WordPiece({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    spell.normalizer = normalizers.BertNormalizer()
    spell.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [("[CLS]", 2), ("[SEP]", 3)]
    spell.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=ends
    )
    return spell.to_str()


def _draw(shapes: Mapping[str, Any]) -> Any:
    """Weights of small variance, norms and variances of one."""
    rng = np.random.default_rng(0)

    def leaf(path: Any, spec: jax.ShapeDtypeStruct) -> np.ndarray:
        if path[-1].key in ("scale", "var", "std"):
            return np.ones(spec.shape, spec.dtype)
        if not np.issubdtype(spec.dtype, np.floating):
            return np.zeros(spec.shape, spec.dtype)
        return (0.02 * rng.standard_normal(spec.shape, np.float32)).astype(spec.dtype)

    return jax.tree_util.tree_map_with_path(leaf, shapes)
