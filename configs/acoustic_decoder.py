"""Acoustic decoder, on frozen AudioMAE features and codec tokens.

python train.py configs/acoustic_decoder.py --size demo --workdir runs/acoustic_decoder
"""

from hsmtss_jax.config import ExperimentConfig, RunConfig
from hsmtss_jax.configs import common
from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig
from hsmtss_jax.stages.acoustic_decoder import AcousticDecoderStageConfig
from hsmtss_jax.stages.sizes import inherit

UPSTREAM = common.bundles("audio_mae", "tf_codec")


def get_config(size: str = "paper") -> ExperimentConfig:
    """Build the experiment.

    size: paper (12 x 1024, 185.5 M parameters) | base (an accelerator)
    | demo (two CPU cores) | tiny (seconds).
    """
    return {"paper": _paper, "base": _base, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    return ExperimentConfig(
        stage=AcousticDecoderStageConfig(model=inherit(AcousticDecoderConfig(remat=True))),
        data=common.paper_data(128, common.SOUNDS),
        optim=common.adamw(3e-4, b2=0.95, weight_decay=0.1, warmup_steps=10_000, end_lr=3e-6),
        run=RunConfig(steps=300_000),
        upstream=UPSTREAM,
    )


def _demo() -> ExperimentConfig:
    # columns: no prefix, so half the sequence; each frame is handed the patches under it
    # instead of having to find them by attention.
    model = AcousticDecoderConfig(width=256, depth=4, heads=8, condition="columns", dropout=0.0)
    return ExperimentConfig(
        stage=AcousticDecoderStageConfig(
            model=inherit(model), samples=40_960, mask_padding=False, prefix_noise=0.3
        ),
        data=common.demo_data(32, augment=False, eval_examples=128),
        optim=common.adamw(1e-3, b2=0.95, weight_decay=0.1, warmup_steps=50, end_lr=2e-5, ema=0.99),
        run=RunConfig(steps=1_000, log_every=20, eval_every=200, save_every=100),
        upstream=UPSTREAM,
    )


def _base() -> ExperimentConfig:
    model = AcousticDecoderConfig(width=512, depth=8, heads=8, condition="columns", dropout=0.0)
    return ExperimentConfig(
        stage=AcousticDecoderStageConfig(
            model=inherit(model), samples=40_960, mask_padding=False, prefix_noise=0.3
        ),
        data=common.base_data(64, augment=False, eval_examples=128),
        optim=common.adamw(
            8e-4, b2=0.95, weight_decay=0.1, warmup_steps=200, end_lr=2e-5, ema=0.99
        ),
        run=common.base_run(3_000),
        upstream=UPSTREAM,
    )


def _tiny() -> ExperimentConfig:
    model = inherit(AcousticDecoderConfig(width=64, depth=2, heads=4))
    return ExperimentConfig(
        stage=AcousticDecoderStageConfig(model=model, samples=40_960, mask_padding=False),
        data=common.tiny_data(augment=False),
        optim=common.tiny_adamw(b2=0.95, weight_decay=0.1),
        run=common.tiny_run(),
        upstream=UPSTREAM,
    )
