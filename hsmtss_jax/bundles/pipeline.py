"""Assemble and load pipeline bundles: folders of stage bundles with a ``pipeline.json``."""

import dataclasses
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hsmtss_jax.atomic import current_folder, replace_folder
from hsmtss_jax.bundles.bundle import (
    Bundle,
    check_destination,
    check_upstream,
    is_bundle,
    load_bundle,
    load_bundles,
    save_bundle,
)
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.models.text.query import QUERY_ENCODERS
from hsmtss_jax.models.tf_codec.adapter import CODECS
from hsmtss_jax.sampling.policies import Policy

FORMAT_VERSION = 1
ROLES = (
    "text_encoder",
    "audio_mae",
    "q_audio",
    "joint_separator",
    "tf_codec",
    "acoustic_decoder",
)
SEPARATORS = (
    "joint_separator",
    "single_stage",
)  # the roles that can give a hierarchical pipeline its separator
MASK_DECODER = "mask_decoder"  # what such a pipeline may hold to make masks without generating
MASK_ROLES = ("text_encoder", "mask_separator")  # of a pipeline that masks the recording itself
CAPTIONING = ("gpt2", "captioner")  # what a pipeline may hold beside: it separates without them


_SEPARATORS = (*SEPARATORS, MASK_ROLES[-1])
# Role -> the stages that a bundle of it may have beside that of its name.
_STAGES = {"tf_codec": tuple(CODECS), "text_encoder": tuple(QUERY_ENCODERS)}
_DOCUMENT = "pipeline.json"


@dataclasses.dataclass(frozen=True)
class Calibration:
    """Map cosines to a presence score: sigmoid(slope * mean cosine + bias)."""

    slope: float
    bias: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class PipelineConfig:
    """Configure the assembly of a pipeline bundle.

    Attributes:
      bundles: role -> folder of a stage bundle; every role of the pipeline is required.
      separator: one of ``SEPARATORS`` or mask_separator; single_stage is the paper's ablation.
      mask_decoder: whether to include ``MASK_DECODER``.
      captioner: whether to include ``CAPTIONING``, which describe a sound in words.
      storage: role -> storage type of ``save_bundle``; "*" is the default.
      sampling: default policy of the token sampler.
      presence: calibration of the presence score, if measured.
      licence: of the pipeline.
      data: that it was trained on.
      notices: file name -> path of a text to put beside the weights (licence, attribution).
    """

    bundles: Mapping[str, str]
    separator: str = SEPARATORS[0]
    mask_decoder: bool = False
    captioner: bool = False
    storage: Mapping[str, str] = dataclasses.field(default_factory=lambda: {"*": "bfloat16"})
    sampling: Policy = dataclasses.field(default_factory=Policy)
    presence: Calibration | None = None
    licence: str = ""
    data: str = ""
    notices: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def roles(self) -> tuple[str, ...]:
        """Return the pipeline's roles. Raises ValueError for an unknown separator."""
        if self.separator not in _SEPARATORS:
            raise ValueError(
                f"separator={self.separator!r}: choose one of {', '.join(_SEPARATORS)}"
            )
        if self.mask_decoder and self.separator in MASK_ROLES:
            raise ValueError("mask_decoder=true belongs to a hierarchical separator: leave it out")
        decoder = (MASK_DECODER,) if self.mask_decoder else ()
        captioning = CAPTIONING if self.captioner else ()
        return (*_roles_with(self.separator), *decoder, *captioning)


def _roles_with(separator: str) -> tuple[str, ...]:
    """Return the roles that separation needs, with this separator."""
    if separator in MASK_ROLES:
        return MASK_ROLES
    return tuple(separator if role in SEPARATORS else role for role in ROLES)


def _known_roles(names: Any) -> tuple[str, ...]:
    """Return the roles of a pipeline.json that separation needs.

    Raises:
      ValueError: a role is missing, or there is another one that is not in ``CAPTIONING``.
    """
    given = set(map(str, names)) - set(CAPTIONING)
    for roles in map(_roles_with, _SEPARATORS):
        if given == set(roles):
            return roles
        if roles != MASK_ROLES and given == {*roles, MASK_DECODER}:
            return (*roles, MASK_DECODER)
    raise ValueError(f"its roles {names} are not those of a pipeline")


@dataclasses.dataclass(frozen=True)
class Pipeline:
    """Hold a loaded pipeline bundle: stage bundles by role, sampling defaults, the rest of pipeline.json."""

    bundles: Mapping[str, Bundle]
    sampling: Policy | None
    meta: Mapping[str, Any]
    path: Path
    presence: Calibration | None = None

    @property
    def architecture(self) -> str:
        """Return what kind of system it is: "hsm_tss" or "mask_separator"."""
        return architecture(self.meta.get("roles", self.bundles))


def architecture(roles: Iterable[str]) -> str:
    """Return the kind of system that a pipeline of these roles is."""
    return MASK_ROLES[-1] if MASK_ROLES[-1] in roles else "hsm_tss"


def assemble(config: PipelineConfig, out: str | os.PathLike[str]) -> Path:
    """Write the pipeline bundle ``out`` from stage bundles, atomically replacing an existing one.

    Raises:
      ValueError: a role is missing, or digests do not match.
    """
    missing = [role for role in config.roles if role not in config.bundles]
    if missing:
        raise ValueError(f"the pipeline lacks bundles for: {', '.join(missing)}")
    bundles = load_bundles({role: config.bundles[role] for role in config.roles})
    if config.captioner and "gpt2" in bundles["captioner"].params:
        # GPT-2 as it was before it was fine-tuned: its sizes and tokenizer are all that is read of it.
        bundles["gpt2"] = dataclasses.replace(bundles["gpt2"], params={})
    return write_pipeline(config, bundles, out)


def write_pipeline(
    config: PipelineConfig, bundles: Mapping[str, Bundle], out: str | os.PathLike[str]
) -> Path:
    """Write the pipeline bundle ``out`` from bundles in memory, by role; ``config.bundles`` is not read.

    Raises:
      ValueError: ``out`` is a file, or a folder that holds something else.
    """
    check_pipeline(out)
    with replace_folder(out) as folder:
        _write(config, bundles, folder)
    return Path(out)


def check_pipeline(out: str | os.PathLike[str]) -> None:
    """Raise ValueError where no pipeline can be written: a file, or a folder that holds something else."""
    check_destination(out, _DOCUMENT)


def _write(config: PipelineConfig, bundles: Mapping[str, Bundle], folder: Path) -> None:
    default = config.storage.get("*", "float32")
    for role, bundle in bundles.items():
        save_bundle(folder / role, bundle, storage=config.storage.get(role, default))
    for name, source in config.notices.items():
        shutil.copyfile(source, folder / name)
    masks = architecture(config.roles) == MASK_ROLES[-1]
    document = {
        "format_version": FORMAT_VERSION,
        "architecture": architecture(config.roles),
        "roles": list(config.roles),
        "sampling": None if masks else dataclasses.asdict(config.sampling),
        "presence": dataclasses.asdict(config.presence) if config.presence else None,
        "licence": config.licence,
        "data": config.data,
    }
    (folder / _DOCUMENT).write_text(json.dumps(document, indent=2) + "\n")


def load_pipeline(folder: str | os.PathLike[str], roles: Sequence[str] | None = None) -> Pipeline:
    """Read the stage bundles ``roles`` of a pipeline: by default all that separation needs.

    Raises:
      OSError: there is no such pipeline.
      ValueError: it is damaged or inconsistent; the message is one line.
    """
    folder = current_folder(folder)
    pipeline = _read_document(folder)
    named = pipeline.meta["roles"]
    lacking = [role for role in roles or () if role in CAPTIONING and role not in named]
    if lacking:
        raise ValueError(
            f"{folder} holds no {lacking[0]}: export it with captioner=true, or give --{lacking[0]} "
            "to hsmtss evaluate captioning"
        )
    wanted = _known_roles(named) if roles is None else roles
    bundles = {role: load_bundle(folder / role) for role in wanted}
    for role, bundle in bundles.items():
        if bundle.stage not in (role, *_STAGES.get(role, ())):
            raise ValueError(f"{folder / role} is a bundle of {bundle.stage}, not of {role}")
    check_upstream(bundles)
    return dataclasses.replace(pipeline, bundles=bundles)


def pipeline_roles(folder: str | os.PathLike[str]) -> tuple[str, ...]:
    """Return the roles of a pipeline bundle that separation needs. Raises as ``load_pipeline`` does."""
    return _known_roles(_read_document(current_folder(folder)).meta["roles"])


def _read_document(folder: Path) -> Pipeline:
    """Read pipeline.json, without the stage bundles."""
    if not folder.exists():
        raise FileNotFoundError(f"no checkpoint at {folder}: give the folder of a pipeline bundle")
    path = folder / _DOCUMENT
    if not path.is_file():
        stage = ", but the bundle of a stage" if is_bundle(folder) else ""
        raise ValueError(f"{folder} is not a pipeline bundle{stage}: it has no pipeline.json")
    try:
        document = json.loads(path.read_text())
        version = document["format_version"]
        sampling = document["sampling"] and from_dict(Policy, document["sampling"])
        _known_roles(document["roles"])
        presence = document.get("presence")
        calibration = None if presence is None else from_dict(Calibration, presence)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is damaged ({error}): copy it again") from error
    if version != FORMAT_VERSION:
        raise ValueError(
            f"{folder} has pipeline format {version}, this version reads {FORMAT_VERSION}"
        )
    return Pipeline({}, sampling, document, folder, calibration)
