"""Import public weights as bundles that a config's ``upstream`` can name."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.bundles.importers.audio_mae import audio_mae_config, import_audio_mae
from hsmtss_jax.bundles.importers.cnn14 import cnn14_config, import_cnn14
from hsmtss_jax.bundles.importers.gpt2 import gpt2_config, import_gpt2
from hsmtss_jax.bundles.importers.mw_mae import import_mw_mae, mw_mae_config, mw_mae_state
from hsmtss_jax.bundles.importers.read import read_flax, read_state
from hsmtss_jax.bundles.importers.source import locate, public_name
from hsmtss_jax.bundles.importers.text import import_text_encoder, text_encoder_config
from hsmtss_jax.bundles.importers.tf_codec import import_tf_codec, tf_codec_config
from hsmtss_jax.bundles.importers.tokenizer import FILE, read_json, read_tokenizer

_CONFIG = "config.json"
_UNKNOWN = "see the source"


def import_bundle(kind: str, source: str, heads: int | None = None, licence: str = "") -> Bundle:
    """Create a float32 bundle of stage ``kind`` from public weights.

    Args:
      kind: one of ``KINDS``.
      source: a file, a folder or a hub id; text_encoder and gpt2 need the folder, for config.json and
        tokenizer.json.
      heads: number of heads of audio_mae and mw_mae, which their files do not contain (default: 64 wide).
      licence: to state in the bundle.

    Raises:
      OSError: files are missing, or the hub cannot be reached.
      ValueError: unknown kind, a file that is damaged or does not match.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}: choose one of {', '.join(KINDS)}")
    if heads is not None and heads < 1:
        raise ValueError(f"--heads must be at least 1, not {heads}")
    importer, extras = _IMPORTERS[kind]
    bundle = importer(locate(source, extras), heads)
    known = "Apache-2.0" if "flan-t5" in source else _UNKNOWN
    meta = {"source": public_name(source), "licence": licence or known}
    return dataclasses.replace(bundle, meta=meta)


def read_text_encoder(folder: Path, heads: int | None = None) -> Bundle:
    """Read a T5 or BERT encoder and its tokenizer from a folder with Hugging Face's files."""
    _no_heads(heads)
    config = text_encoder_config(read_json(folder, _CONFIG))
    params = import_text_encoder(config, read_state(folder))
    return _bundle("text_encoder", config, params, read_tokenizer(folder, config.vocab))


def _read_gpt2(folder: Path, heads: int | None) -> Bundle:
    _no_heads(heads)
    config = gpt2_config(read_json(folder, _CONFIG))
    params = import_gpt2(config, read_state(folder))
    return _bundle("gpt2", config, params, read_tokenizer(folder, config.vocab))


def _read_audio_mae(path: Path, heads: int | None) -> Bundle:
    state = read_state(path)
    config = audio_mae_config(state, heads)
    return _bundle("audio_mae", config, import_audio_mae(config, state))


def _read_mw_mae(path: Path, heads: int | None) -> Bundle:
    state = mw_mae_state(read_flax(path))
    config = mw_mae_config(state, heads)
    return _bundle("mw_mae", config, import_mw_mae(config, state))


def _read_tf_codec(path: Path, heads: int | None) -> Bundle:
    _no_heads(heads, "TF-Codec has no attention heads")
    state = read_state(path)
    config = tf_codec_config(state)
    return _bundle("tf_codec", config, import_tf_codec(config, state))


def _read_panns(path: Path, heads: int | None) -> Bundle:
    _no_heads(heads, "Cnn14 has no attention heads")
    state = read_state(path)
    config = cnn14_config(state)
    return _bundle("cnn14", config, import_cnn14(config, state))


# Kind -> its reader, and the files it needs beside the weights.
_IMPORTERS: dict[str, tuple[Callable[[Path, int | None], Bundle], tuple[str, ...]]] = {
    "audio_mae": (_read_audio_mae, ()),
    "mw_mae": (_read_mw_mae, ()),
    "text_encoder": (read_text_encoder, (_CONFIG, FILE)),
    "gpt2": (_read_gpt2, (_CONFIG, FILE)),
    "tf_codec": (_read_tf_codec, ()),
    "panns": (_read_panns, ()),
}
KINDS = tuple(_IMPORTERS)


def _bundle(
    stage: str, config: Any, params: Mapping[str, Any], files: Mapping[str, bytes] | None = None
) -> Bundle:
    described = {"name": stage, "model": dataclasses.asdict(config)}
    return Bundle(stage=stage, config=described, params=params, files=files or {})


def _no_heads(heads: int | None, why: str = f"{_CONFIG} says the heads") -> None:
    if heads is not None:
        raise ValueError(f"--heads is of no use ({why}): leave it out")
