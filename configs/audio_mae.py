"""AudioMAE pre-training.

python train.py configs/audio_mae.py --size demo --workdir runs/audio_mae
"""

from hsmtss_jax.config import ExperimentConfig, RunConfig
from hsmtss_jax.configs import common
from hsmtss_jax.models.audio_mae import AudioMAEConfig
from hsmtss_jax.stages.audio_mae import AudioMAEStageConfig


def get_config(size: str = "paper") -> ExperimentConfig:
    """Build the experiment.

    size: paper (ViT-B, AudioSet, one pod slice) | base (an accelerator)
    | demo (two CPU cores) | tiny (seconds).
    """
    return {"paper": _paper, "base": _base, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    # 2 M clips x 32 epochs / 512 = 127 k steps; AudioMAE's recipe (lr 2e-4 x batch / 256).
    return ExperimentConfig(
        stage=AudioMAEStageConfig(model=AudioMAEConfig(remat=True)),
        data=common.paper_data(512, common.AUDIOSET),
        optim=common.adamw(4e-4, b2=0.95, weight_decay=1e-4, warmup_steps=12_000, end_lr=0.0),
        run=RunConfig(steps=127_000),
    )


def _demo() -> ExperimentConfig:
    model = AudioMAEConfig(
        frames=256,
        width=192,
        depth=6,
        heads=6,
        decoder_width=96,
        decoder_depth=2,
        decoder_windows=(4, 8, 16, 32, 64, 64, 0, 0),
    )
    return ExperimentConfig(
        stage=AudioMAEStageConfig(model=model, samples=40_960),
        data=common.demo_data(64, augment=False),
        optim=common.adamw(1e-3, b2=0.95, weight_decay=0.05, warmup_steps=300, end_lr=1e-5),
        run=RunConfig(steps=1_100, log_every=50, eval_every=550, save_every=200),
    )


def _base() -> ExperimentConfig:
    model = AudioMAEConfig(
        frames=256,
        width=384,
        depth=8,
        heads=6,
        decoder_width=192,
        decoder_depth=2,
        decoder_windows=(4, 8, 16, 32, 64, 64, 0, 0),
    )
    return ExperimentConfig(
        stage=AudioMAEStageConfig(model=model, samples=40_960),
        data=common.base_data(256, augment=False),
        optim=common.adamw(1e-3, b2=0.95, weight_decay=0.05, warmup_steps=300, end_lr=1e-5),
        run=common.base_run(3_000),
    )


def _tiny() -> ExperimentConfig:
    model = AudioMAEConfig(
        frames=256,
        width=64,
        depth=2,
        heads=4,
        decoder_width=32,
        decoder_depth=1,
        decoder_windows=(4, 8, 0, 0),
    )
    return ExperimentConfig(
        stage=AudioMAEStageConfig(model=model, samples=40_960),
        data=common.tiny_data(augment=False),
        optim=common.tiny_adamw(b2=0.95, weight_decay=0.05),
        run=common.tiny_run(),
    )
