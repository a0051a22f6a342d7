"""The registry of trainable stages; a stage's module is imported when it is first asked for."""

import importlib

from hsmtss_jax.config import ExperimentConfig
from hsmtss_jax.train.stage import Stage

# Name of a stage, as its config says it -> "module:class".
STAGES: dict[str, str] = {
    "audio_mae": "hsmtss_jax.stages.audio_mae:AudioMAEStage",
    "q_audio": "hsmtss_jax.stages.q_audio:QAudioStage",
    "global_separator": "hsmtss_jax.stages.global_separator:GlobalSeparatorStage",
    "local_separator": "hsmtss_jax.stages.local_separator:LocalSeparatorStage",
    "joint_separator": "hsmtss_jax.stages.joint_separator:JointSeparatorStage",
    "single_stage": "hsmtss_jax.stages.single_stage:SingleStage",
    "mask_decoder": "hsmtss_jax.stages.mask_decoder:MaskDecoderStage",
    "mask_separator": "hsmtss_jax.stages.mask_separator:MaskSeparatorStage",
    "tf_codec": "hsmtss_jax.stages.tf_codec:TFCodecStage",
    "acoustic_decoder": "hsmtss_jax.stages.acoustic_decoder:AcousticDecoderStage",
    "captioner": "hsmtss_jax.stages.captioner:CaptionerStage",
}


def stage_class(name: str) -> type[Stage]:
    """Return the class of a stage; its ``config_class`` is the class of its config.

    Raises ValueError for a name that ``STAGES`` does not hold.
    """
    if name not in STAGES:
        raise ValueError(f"unknown stage {name!r}: choose one of {', '.join(STAGES)}")
    module, _, attribute = STAGES[name].partition(":")
    found = getattr(importlib.import_module(module), attribute)
    assert isinstance(found, type) and issubclass(found, Stage)
    return found


def load_stage(config: ExperimentConfig) -> Stage:
    """Build the stage of an experiment, with its upstream bundles loaded and checked.

    Raises:
      ValueError: unknown stage, an upstream bundle that is missing, damaged or does not belong.
      OSError: an upstream path that does not exist.
    """
    return stage_class(config.stage.name).load(config)
