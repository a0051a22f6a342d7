"""The whole training: which stages, in which order, and how a time budget is shared out.

hsmtss recipe --size demo --workdir runs/demo
hsmtss recipe --size base --workdir runs/base --minutes 10
"""

from hsmtss_jax.configs import common
from hsmtss_jax.recipes.recipe import FeatureStep, PipelineStep, RecipeConfig, StageStep

CODEC = {"tf_codec": "tf_codec_adversarial"}  # what the second phase leaves is the codec
SHARES = {  # of the time; the mask decoder is what is heard
    "audio_mae": 3.0,
    "q_audio": 2.0,
    "global_separator": 1.0,
    "local_separator": 2.0,
    "joint_separator": 3.0,
    "mask_decoder": 6.0,
    "tf_codec": 2.0,
    "tf_codec_adversarial": 1.0,
    "acoustic_decoder": 3.0,
}


def get_config(size: str = "paper") -> RecipeConfig:
    """Build the recipe.

    size: paper | base (an accelerator) | demo (two CPU cores) | tiny (minutes, on synthetic sounds).
    """
    return {"paper": _paper, "base": _base, "demo": _demo, "tiny": _tiny}[size]()


def _stages() -> tuple[StageStep, ...]:
    upstream = {
        "tf_codec_adversarial": {"initial_codec": "tf_codec"},
        "acoustic_decoder": CODEC,
    }
    return tuple(
        StageStep(config=name, share=share, upstream=upstream.get(name, {}))
        for name, share in SHARES.items()
    )


def _paper() -> RecipeConfig:
    return RecipeConfig(
        stages=_stages(),
        data=common.CAPTIONED,
        pipeline=PipelineStep(upstream=CODEC, overrides=("mask_decoder=true",)),
    )


def _base() -> RecipeConfig:
    return RecipeConfig(
        stages=_stages(),
        data=common.CLIPS,
        text_encoder="demo",
        features=FeatureStep(train=32_000, root=common.FEATURES),
        pipeline=PipelineStep(upstream=CODEC, overrides=("mask_decoder=true",)),
    )


def _demo() -> RecipeConfig:
    return RecipeConfig(
        stages=_stages(),
        data=common.CLIPS,
        text_encoder="demo",
        features=FeatureStep(train=16_000, root=common.FEATURES),
        pipeline=PipelineStep(upstream=CODEC, overrides=("mask_decoder=true",)),
    )


def _tiny() -> RecipeConfig:
    return RecipeConfig(
        stages=_stages(),
        text_encoder="random",
        pipeline=PipelineStep(
            upstream=CODEC,
            overrides=("mask_decoder=true",),
            pairs=3,
            options=("--batch=2", "--modes=mask", "--no-diagnostics"),
        ),
    )
