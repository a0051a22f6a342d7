"""The global-semantic separator H1, on mixtures, with AudioMAE, text encoder and Q-Audio frozen.

python train.py configs/global_separator.py --size demo --workdir runs/global_separator
"""

from hsmtss_jax.config import DataConfig, ExperimentConfig, OptimConfig, RunConfig
from hsmtss_jax.models.global_separator import GlobalSeparatorConfig
from hsmtss_jax.stages.global_separator import GlobalSeparatorStageConfig

UPSTREAM = {
    "audio_mae": "runs/audio_mae/bundle",
    "text_encoder": "runs/text_encoder/bundle",
    "q_audio": "runs/q_audio/bundle",
}

FEATURES = "corpora/opensounds_features"  # by hsmtss precompute


def get_config(size: str = "paper") -> ExperimentConfig:
    """size: paper (6 x 768) | demo (two CPU cores) | tiny (seconds)."""
    return {"paper": _paper, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    return ExperimentConfig(
        stage=GlobalSeparatorStageConfig(),
        data=DataConfig(root="corpora/captioned", batch_size=256, workers=16),
        optim={"model": OptimConfig(lr=1e-4, b2=0.98, weight_decay=0.01, warmup_steps=2_000)},
        run=RunConfig(steps=50_000),
        upstream=UPSTREAM,
    )


def _demo() -> ExperimentConfig:
    model = GlobalSeparatorConfig(
        width=192, depth=4, heads=6, dropout=0.1, global_width=192, max_text=17
    )
    return ExperimentConfig(
        stage=GlobalSeparatorStageConfig(model=model, samples=40_960),
        data=DataConfig(
            root=FEATURES, batch_size=32, max_text_tokens=16, text_cache="runs/text_features"
        ),
        optim={
            "model": OptimConfig(
                lr=1e-3, b2=0.98, weight_decay=0.01, warmup_steps=30, end_lr=1e-5, ema=0.99
            )
        },
        run=RunConfig(steps=800, log_every=25, eval_every=200, save_every=100),
        upstream=UPSTREAM,
    )


def _tiny() -> ExperimentConfig:
    model = GlobalSeparatorConfig(width=64, depth=2, heads=4, global_width=64, max_text=17)
    return ExperimentConfig(
        stage=GlobalSeparatorStageConfig(model=model, samples=40_960),
        data=DataConfig(batch_size=8, max_text_tokens=16, eval_examples=16),
        optim={"model": OptimConfig(lr=1e-3, warmup_steps=5)},
        run=RunConfig(steps=20, log_every=5, eval_every=10, save_every=10, keep=1),
        upstream=UPSTREAM,
    )
