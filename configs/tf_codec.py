"""TF-Codec, first phase: reconstruction and rate, no discriminator.

python train.py configs/tf_codec.py --size demo --workdir runs/tf_codec
"""

from hsmtss_jax.config import ExperimentConfig, OptimConfig, RunConfig
from hsmtss_jax.configs import common
from hsmtss_jax.models.tf_codec.model import TFCodecConfig
from hsmtss_jax.stages.tf_codec import TFCodecStageConfig


def get_config(size: str = "paper") -> ExperimentConfig:
    """Build the experiment.

    size: paper (7.6 M parameters, 3 s crops) | base (an accelerator)
    | demo (two CPU cores) | tiny (seconds).
    """
    return {"paper": _paper, "base": _base, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    # The reference project: 4 x 50 crops, a constant rate behind a warm-up. It does not say how long its
    # first phase is.
    return ExperimentConfig(
        stage=TFCodecStageConfig(adversarial_start=None),
        data=common.paper_data(200, common.SOUNDS),
        optim={"generator": common.codec_adam(4e-4, warmup_steps=6_000)},
        run=RunConfig(steps=200_000),
    )


def _cosine(lr: float, warmup_steps: int) -> OptimConfig:
    return common.codec_adam(lr, warmup_steps=warmup_steps, schedule="cosine", end_lr=1e-4)


def _demo() -> ExperimentConfig:
    model = TFCodecConfig(channels=(8, 16, 32, 32), tcm_hidden=256, latent=160, groups=8, codes=256)
    stage = TFCodecStageConfig(
        model=model,
        samples=16_000,
        adversarial_start=None,
        log_mel_weight=0.02,
        entropy_target=7.0,
    )
    return ExperimentConfig(
        stage=stage,
        data=common.demo_data(16, augment=False, eval_examples=128),
        optim={"generator": _cosine(1.5e-3, 60)},
        run=RunConfig(steps=900, log_every=25, eval_every=300, save_every=100),
    )


def _base() -> ExperimentConfig:
    model = TFCodecConfig(
        channels=(16, 32, 48, 48), tcm_hidden=384, latent=240, groups=8, codes=512
    )
    stage = TFCodecStageConfig(
        model=model,
        samples=16_000,
        adversarial_start=None,
        log_mel_weight=0.02,
        entropy_target=8.0,
    )
    return ExperimentConfig(
        stage=stage,
        data=common.base_data(64, augment=False, eval_examples=128),
        optim={"generator": _cosine(1.5e-3, 300)},
        run=common.base_run(3_000),
    )


def _tiny() -> ExperimentConfig:
    model = TFCodecConfig(
        channels=(4, 8, 8, 8),
        tcm_hidden=32,
        tcm_dilations=(1, 4),  # layers are not scanned: fewer are compiled sooner
        latent=32,
        groups=4,
        codes=32,
    )
    stage = TFCodecStageConfig(
        model=model, samples=8_000, adversarial_start=None, entropy_target=4.0
    )
    return ExperimentConfig(
        stage=stage,
        data=common.tiny_data(4, augment=False),
        optim={"generator": _cosine(1e-3, 5)},
        run=common.tiny_run(),
    )
