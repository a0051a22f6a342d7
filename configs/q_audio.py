"""Q-Audio pre-training.

python train.py configs/q_audio.py --size demo --workdir runs/q_audio
"""

from hsmtss_jax.config import DataConfig, ExperimentConfig, OptimConfig, RunConfig
from hsmtss_jax.models.q_audio import QAudioConfig
from hsmtss_jax.stages.q_audio import QAudioStageConfig

UPSTREAM = {"audio_mae": "runs/audio_mae/bundle", "text_encoder": "runs/text_encoder/bundle"}


def get_config(size: str = "paper") -> ExperimentConfig:
    """size: paper (two layers of 768, FLAN-T5-base) | demo (two CPU cores, MiniLM) | tiny (seconds)."""
    return {"paper": _paper, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    # 230 k clips x 20 epochs / 512 = 9 k steps.
    return ExperimentConfig(
        stage=QAudioStageConfig(),
        data=DataConfig(root="corpora/captioned", batch_size=512, workers=16),
        optim={
            "model": OptimConfig(
                lr=1e-4,
                b2=0.98,
                weight_decay=0.05,
                warmup_steps=1_000,
                decay_exclude=r"(bias|scale|query|token|position|temperature)$",
            )
        },
        run=RunConfig(steps=9_000),
        upstream=UPSTREAM,
    )


def _demo() -> ExperimentConfig:
    model = QAudioConfig(
        width=192,
        heads=6,
        mlp=768,
        audio_width=192,
        text_width=384,
        contrastive=128,
        max_text=16,
        vocab=30_522,
        scale_logits=False,
    )
    return ExperimentConfig(
        stage=QAudioStageConfig(model=model, samples=40_960),
        data=DataConfig(batch_size=48, max_text_tokens=16, eval_examples=480),
        optim={
            "model": OptimConfig(
                lr=1e-3, b2=0.98, weight_decay=0.05, warmup_steps=50, end_lr=1e-5, ema=0.99
            )
        },
        run=RunConfig(steps=1_000, log_every=20, eval_every=200, save_every=100),
        upstream=UPSTREAM,
    )


def _tiny() -> ExperimentConfig:
    model = QAudioConfig(
        width=64,
        heads=4,
        mlp=128,
        audio_width=64,
        text_width=16,
        contrastive=16,
        max_text=16,
        vocab=64,
    )
    return ExperimentConfig(
        stage=QAudioStageConfig(model=model, samples=40_960),
        data=DataConfig(batch_size=8, max_text_tokens=16, eval_examples=16),
        optim={"model": OptimConfig(lr=1e-3, warmup_steps=5)},
        run=RunConfig(steps=20, log_every=5, eval_every=10, save_every=10, keep=1),
        upstream=UPSTREAM,
    )
