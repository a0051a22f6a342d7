"""Acoustic decoder, on frozen AudioMAE features and codec tokens.

python train.py configs/acoustic_decoder.py --size demo --workdir runs/acoustic_decoder
"""

from hsmtss_jax.config import DataConfig, ExperimentConfig, OptimConfig, RunConfig
from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig
from hsmtss_jax.stages.acoustic_decoder import AcousticDecoderStageConfig

UPSTREAM = {"audio_mae": "runs/audio_mae/bundle", "tf_codec": "runs/tf_codec/bundle"}


def get_config(size: str = "paper") -> ExperimentConfig:
    """size: paper (12 x 1024, 185.5 M parameters) | demo (two CPU cores) | tiny (seconds)."""
    return {"paper": _paper, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    return ExperimentConfig(
        stage=AcousticDecoderStageConfig(model=AcousticDecoderConfig(remat=True)),
        data=DataConfig(root="corpora/audioset", batch_size=128, workers=16, augment=False),
        optim={
            "model": OptimConfig(
                lr=3e-4, b2=0.95, weight_decay=0.1, warmup_steps=10_000, end_lr=3e-6
            )
        },
        run=RunConfig(steps=300_000),
        upstream=UPSTREAM,
    )


def _demo() -> ExperimentConfig:
    # columns: no prefix, so half the sequence; each frame is handed the patches under it
    # instead of having to find them by attention.
    model = AcousticDecoderConfig(
        width=256,
        depth=4,
        heads=8,
        groups=8,
        codes=256,
        audio_width=192,
        time_patches=16,
        condition="columns",
        dropout=0.0,
    )
    return ExperimentConfig(
        stage=AcousticDecoderStageConfig(
            model=model, samples=40_960, mask_padding=False, prefix_noise=0.3
        ),
        data=DataConfig(batch_size=32, augment=False, eval_examples=128),
        optim={
            "model": OptimConfig(
                lr=1e-3, b2=0.95, weight_decay=0.1, warmup_steps=50, end_lr=2e-5, ema=0.99
            )
        },
        run=RunConfig(steps=1_000, log_every=20, eval_every=200, save_every=100),
        upstream=UPSTREAM,
    )


def _tiny() -> ExperimentConfig:
    model = AcousticDecoderConfig(
        width=64, depth=2, heads=4, groups=4, codes=32, audio_width=64, time_patches=16
    )
    return ExperimentConfig(
        stage=AcousticDecoderStageConfig(model=model, samples=40_960, mask_padding=False),
        data=DataConfig(batch_size=8, augment=False, eval_examples=16),
        optim={"model": OptimConfig(lr=1e-3, b2=0.95, weight_decay=0.1, warmup_steps=5)},
        run=RunConfig(steps=20, log_every=5, eval_every=10, save_every=10, keep=1),
        upstream=UPSTREAM,
    )
