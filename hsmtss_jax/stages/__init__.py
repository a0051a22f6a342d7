"""The registry of trainable stages; a stage's module is imported when it is first asked for."""

import importlib
from collections.abc import Iterator, Mapping

from hsmtss_jax.config import StageConfig
from hsmtss_jax.train.stage import Stage

_CLASSES = {
    "audio_mae": "AudioMAE",
    "q_audio": "QAudio",
    "global_separator": "GlobalSeparator",
    "local_separator": "LocalSeparator",
    "joint_separator": "JointSeparator",
    "single_stage": "Single",
    "mask_separator": "MaskSeparator",
    "tf_codec": "TFCodec",
    "acoustic_decoder": "AcousticDecoder",
    "captioner": "Captioner",
}


class _Registry(Mapping[str, tuple[type[StageConfig], type[Stage]]]):
    """Stage name -> (its StageConfig class, its Stage class)."""

    def __getitem__(self, name: str) -> tuple[type[StageConfig], type[Stage]]:
        prefix = _CLASSES[name]
        module = importlib.import_module(f"hsmtss_jax.stages.{name}")
        return getattr(module, f"{prefix}StageConfig"), getattr(module, f"{prefix}Stage")

    def __iter__(self) -> Iterator[str]:
        return iter(_CLASSES)

    def __len__(self) -> int:
        return len(_CLASSES)


STAGES = _Registry()
