"""Captioning with a prefix of GPT-2, a measure of the representation.

python train.py configs/captioner.py --size demo --workdir runs/captioner
"""

from hsmtss_jax.config import DataConfig, ExperimentConfig, OptimConfig, RunConfig
from hsmtss_jax.models.captioner import CaptionerConfig
from hsmtss_jax.stages.captioner import CaptionerStageConfig

UPSTREAM = {
    "audio_mae": "runs/audio_mae/bundle",
    "q_audio": "runs/q_audio/bundle",
    "gpt2": "runs/gpt2/bundle",
}


def get_config(size: str = "paper") -> ExperimentConfig:
    """size: paper (GPT-2 small, fine-tuned) | demo (a small one from nothing, two CPU cores) | tiny."""
    return {"paper": _paper, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    # AudioCaps or Clotho: 50 k clips x 10 epochs / 64 = 7.8 k steps; the rest is MSCLAP's.
    return ExperimentConfig(
        stage=CaptionerStageConfig(),
        data=DataConfig(root="corpora/captioned", batch_size=64, workers=16, max_text_tokens=67),
        optim={"model": OptimConfig(lr=2e-5, b2=0.999, warmup_steps=5_000, end_lr=0.0)},
        run=RunConfig(steps=7_800),
        upstream=UPSTREAM,
    )


def _demo() -> ExperimentConfig:
    # A small GPT-2 that learns to write together with the map: see data/language_model/prepare.py.
    model = CaptionerConfig(global_tokens=4, width=256, use_local=True)
    return ExperimentConfig(
        stage=CaptionerStageConfig(model=model, samples=40_960),
        data=DataConfig(batch_size=64, max_text_tokens=16, eval_examples=480),
        optim={"model": OptimConfig(lr=1e-3, weight_decay=0.05, warmup_steps=50, end_lr=1e-5)},
        run=RunConfig(steps=600, log_every=20, eval_every=100, save_every=100),
        upstream=UPSTREAM,
    )


def _tiny() -> ExperimentConfig:
    model = CaptionerConfig(global_tokens=2, width=16, use_local=True)
    return ExperimentConfig(
        stage=CaptionerStageConfig(model=model, samples=40_960),
        data=DataConfig(batch_size=8, max_text_tokens=16, eval_examples=16),
        optim={"model": OptimConfig(lr=1e-3, warmup_steps=5)},
        run=RunConfig(steps=20, log_every=5, eval_every=10, save_every=10, keep=1),
        upstream=UPSTREAM,
    )
