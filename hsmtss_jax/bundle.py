"""Release bundles: a folder with ``bundle.json`` and ``model.safetensors``. Nothing is ever unpickled."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True)
class Bundle:
    """One stage's released weights, in memory.

    stage: the stage's registry name. config: its StageConfig as plain JSON. params: nested dict of
    numpy arrays. digest: sha256 of the weights and config. upstream: name -> digest of the bundles it
    was trained against. files: extra files by name (tokenizer). meta: licence, data, anything to say.
    """

    stage: str
    config: Mapping[str, Any]
    params: Mapping[str, Any]
    digest: str = ""
    upstream: Mapping[str, str] = dataclasses.field(default_factory=dict)
    files: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    meta: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    path: Path | None = None
