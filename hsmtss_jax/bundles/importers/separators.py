"""Import public text-queried separators as the bundles of a pipeline."""

import dataclasses
import os
from pathlib import Path
from typing import Any

from hsmtss_jax.bundles.bundle import Bundle, with_digest
from hsmtss_jax.bundles.hub import download, is_hub_id
from hsmtss_jax.bundles.importers.audiosep import audiosep_config, import_audiosep, query_width
from hsmtss_jax.bundles.importers.clap import clap_text_config, holds_clap_text, import_clap_text
from hsmtss_jax.bundles.importers.mapping import State
from hsmtss_jax.bundles.importers.read import read_state
from hsmtss_jax.bundles.importers.source import locate, public_name
from hsmtss_jax.bundles.importers.tokenizer import FILE, has_tokenizer, read_roberta_tokenizer

_SECONDS = 5  # of the mixtures that AudioSep was trained on
_ROBERTA = "FacebookAI/roberta-base"


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeparatorSource:
    """Name where a separator's parts are.

    Attributes:
      network: its checkpoint: a file, a folder or a hub id.
      clap: the checkpoint of the CLAP that encodes its queries; None: it is inside ``network``.
      tokenizer: a folder or a hub id with roberta-base's tokenizer; None: beside clap or network.
      heads: of attention in CLAP's text tower (default: 64 wide).
    """

    network: str
    clap: str | None = None
    tokenizer: str | None = None
    heads: int | None = None


def import_separator(source: SeparatorSource, licence: str = "") -> dict[str, Bundle]:
    """Create the float32 bundles of a pipeline, by role, from AudioSep's or a like checkpoint.

    Raises:
      OSError: files are missing, or the hub cannot be reached.
      ValueError: a file that is damaged or does not match.
    """
    path = locate(source.network)
    state = read_state(path)
    config = audiosep_config(state)
    query = _query_encoder(source, path, state)
    width, wanted = query.config["model"]["embedding"], query_width(state)
    if width != wanted:
        raise ValueError(
            f"the network takes queries of {wanted} numbers, and this CLAP makes {width}: give the one "
            "that it was trained with"
        )
    meta = {"source": public_name(source.network), "licence": licence or "see the source"}
    query = with_digest(dataclasses.replace(query, meta={**query.meta, "licence": meta["licence"]}))
    described = {
        "name": "mask_separator",
        "model": dataclasses.asdict(config),
        "samples": _SECONDS * config.sample_rate,
    }
    network = Bundle(
        stage="mask_separator",
        config=described,
        params=import_audiosep(config, state),
        upstream={"text_encoder": query.digest},
        meta=meta,
    )
    return {"text_encoder": query, "mask_separator": network}


def _query_encoder(source: SeparatorSource, path: Path, state: State) -> Bundle:
    """Read CLAP's text tower, from the file given or the network's own."""
    if source.clap is not None:
        path = locate(source.clap)
        state = read_state(path)
    elif not holds_clap_text(state):
        raise ValueError(
            "the checkpoint holds no CLAP beside the network: give --clap, for AudioSep LAION's "
            "music_speech_audioset_epoch_15_esc_89.98.pt"
        )
    config = clap_text_config(state, source.heads)
    params: dict[str, Any] = import_clap_text(config, state)
    folders = [_parent(path), _parent(locate(source.network))]
    return Bundle(
        stage="clap_text",
        config={"name": "clap_text", "model": dataclasses.asdict(config)},
        params=params,
        files=_tokenizer(source.tokenizer, folders, config.encoder.vocab),
        meta={"source": public_name(source.clap or source.network)},
    )


def _tokenizer(given: str | None, folders: list[Path], vocab: int) -> dict[str, bytes]:
    if given is not None:
        path = Path(os.path.expanduser(given))
        if not path.exists() and is_hub_id(given):
            path = download(given, [FILE], [FILE])
        return read_roberta_tokenizer(_parent(path), vocab)
    for folder in folders:
        if has_tokenizer(folder):
            return read_roberta_tokenizer(folder, vocab)
    raise FileNotFoundError(
        f"{folders[0]} has no {FILE}: give --tokenizer {_ROBERTA}, or a folder with its {FILE}"
    )


def _parent(path: Path) -> Path:
    return path.parent if path.is_file() else path
