"""The mask baseline (LASS-Net, AudioSep): a ResUNet on the STFT, trained on the waveform.

python train.py configs/mask_separator.py --size demo --workdir runs/mask_separator
hsmtss evaluate separation --baseline runs/mask_separator/bundle -o scores.json
"""

from hsmtss_jax.config import DataConfig, ExperimentConfig, OptimConfig, RunConfig
from hsmtss_jax.models.mask_separator import MaskSeparatorConfig
from hsmtss_jax.stages.mask_separator import MaskSeparatorStageConfig

UPSTREAM = {"text_encoder": "runs/text_encoder/bundle"}


def get_config(size: str = "paper") -> ExperimentConfig:
    """size: paper (AudioSep's ResUNet30) | demo (two CPU cores) | tiny (seconds)."""
    return {"paper": _paper, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    return ExperimentConfig(
        stage=MaskSeparatorStageConfig(),
        # The reference's batches are 12 a device, on eight; its mixtures are not augmented.
        data=DataConfig(root="corpora/captioned", batch_size=96, workers=16, augment=False),
        optim={
            "model": OptimConfig(
                lr=1e-3,
                b2=0.999,
                weight_decay=0.01,
                warmup_steps=10_000,
                schedule="constant",
                decay_exclude="",  # the reference decays everything
            )
        },
        run=RunConfig(steps=1_000_000, eval_every=10_000, save_every=10_000),
        upstream=UPSTREAM,
    )


def _demo() -> ExperimentConfig:
    model = MaskSeparatorConfig(channels=(8, 16, 32, 64, 96, 96), n_fft=512)
    return ExperimentConfig(
        stage=MaskSeparatorStageConfig(model=model, samples=40_960),
        data=DataConfig(batch_size=8, max_text_tokens=16),
        optim={
            "model": OptimConfig(lr=1e-3, b2=0.999, weight_decay=0.01, warmup_steps=50, ema=0.99)
        },
        run=RunConfig(steps=3_000, log_every=25, eval_every=500, save_every=250),
        upstream=UPSTREAM,
    )


def _tiny() -> ExperimentConfig:
    model = MaskSeparatorConfig(channels=(4,), n_fft=256)
    return ExperimentConfig(
        stage=MaskSeparatorStageConfig(model=model, samples=8_192),
        data=DataConfig(batch_size=8, max_text_tokens=16, eval_examples=16),
        optim={"model": OptimConfig(lr=1e-3, warmup_steps=5)},
        run=RunConfig(steps=20, log_every=5, eval_every=10, save_every=10, keep=1),
        upstream=UPSTREAM,
    )
