"""The mask decoder: a mask on the recording itself, steered by the semantics of the separators.

python train.py configs/mask_decoder.py --size demo --workdir runs/mask_decoder
"""

from hsmtss_jax.config import ExperimentConfig, RunConfig
from hsmtss_jax.configs import common
from hsmtss_jax.models.mask_decoder import MaskDecoderConfig
from hsmtss_jax.stages.mask_decoder import MaskDecoderStageConfig
from hsmtss_jax.stages.sizes import inherit

UPSTREAM = {**common.ENCODERS, **common.bundles("joint_separator")}


def get_config(size: str = "paper") -> ExperimentConfig:
    """Build the experiment.

    size: paper (about the cost of AudioSep's ResUNet30) | base (an accelerator)
    | demo (two CPU cores) | tiny (seconds).
    """
    return {"paper": _paper, "base": _base, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    return ExperimentConfig(
        stage=MaskDecoderStageConfig(),
        data=common.paper_data(128),
        optim=common.adamw(3e-4, ema=0.9999),
        run=RunConfig(steps=400_000, eval_every=5_000),
        upstream=UPSTREAM,
    )


def _demo() -> ExperimentConfig:
    model = MaskDecoderConfig(channels=(96, 160, 192), blocks=1, layers=2, heads=4, patch=(4, 16))
    return ExperimentConfig(
        stage=MaskDecoderStageConfig(model=inherit(model), samples=40_960),
        data=common.varied_mixtures(16),
        optim=common.adamw(1e-3, warmup_steps=200, end_lr=1e-5, ema=0.999),
        run=RunConfig(steps=40_000, log_every=50, eval_every=1_000, save_every=250),
        upstream=UPSTREAM,
    )


def _base() -> ExperimentConfig:
    model = MaskDecoderConfig(channels=(48, 96, 192), blocks=2, layers=4, heads=6)
    return ExperimentConfig(
        stage=MaskDecoderStageConfig(model=inherit(model), samples=40_960),
        data=common.varied_mixtures(64, workers=common.BASE_WORKERS),
        optim=common.adamw(1e-3, warmup_steps=500, end_lr=1e-5, ema=0.999),
        run=common.base_run(8_000),
        upstream=UPSTREAM,
    )


def _tiny() -> ExperimentConfig:
    model = MaskDecoderConfig(channels=(8, 16), blocks=1, layers=1, heads=2, patch=(2, 16))
    return ExperimentConfig(
        stage=MaskDecoderStageConfig(model=inherit(model), samples=40_960),
        data=common.tiny_words(),
        optim=common.tiny_adamw(),
        run=common.tiny_run(),
        upstream=UPSTREAM,
    )
