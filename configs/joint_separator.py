"""Both separators fine-tuned end to end, from their trained bundles.

python train.py configs/joint_separator.py --size demo --workdir runs/joint_separator
"""

from hsmtss_jax.config import DataConfig, ExperimentConfig, OptimConfig, RunConfig
from hsmtss_jax.models.global_separator import GlobalSeparatorConfig
from hsmtss_jax.models.local_separator import LocalSeparatorConfig
from hsmtss_jax.stages.joint_separator import JointSeparatorStageConfig

UPSTREAM = {
    "audio_mae": "runs/audio_mae/bundle",
    "text_encoder": "runs/text_encoder/bundle",
    "q_audio": "runs/q_audio/bundle",
    "global_separator": "runs/global_separator/bundle",
    "local_separator": "runs/local_separator/bundle",
}

FEATURES = "corpora/opensounds_features"  # by hsmtss precompute


def get_config(size: str = "paper") -> ExperimentConfig:
    """size: paper (6 x 768 and 12 x 768) | demo (two CPU cores) | tiny (seconds)."""
    return {"paper": _paper, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    return ExperimentConfig(
        stage=JointSeparatorStageConfig(local_model=LocalSeparatorConfig(remat=True)),
        data=DataConfig(root="corpora/captioned", batch_size=128, workers=16),
        optim={"model": OptimConfig(lr=2e-5, b2=0.98, weight_decay=0.01, ema=0.9999)},
        run=RunConfig(steps=50_000),
        upstream=UPSTREAM,
    )


def _demo() -> ExperimentConfig:
    stage = JointSeparatorStageConfig(
        global_model=GlobalSeparatorConfig(
            width=192, depth=4, heads=6, dropout=0.1, global_width=192, max_text=17
        ),
        local_model=LocalSeparatorConfig(
            width=192,
            depth=4,
            heads=6,
            dropout=0.0,
            audio_width=192,
            residual=True,  # a short training starts from the mixture
            time_patches=16,
            max_text=17,
        ),
        samples=40_960,
    )
    return ExperimentConfig(
        stage=stage,
        data=DataConfig(
            root=FEATURES, batch_size=32, max_text_tokens=16, text_cache="runs/text_features"
        ),
        optim={
            "model": OptimConfig(
                lr=8e-4, b2=0.98, weight_decay=0.01, warmup_steps=50, end_lr=1e-6, ema=0.99
            )
        },
        run=RunConfig(steps=900, log_every=20, eval_every=300, save_every=100),
        upstream=UPSTREAM,
    )


def _tiny() -> ExperimentConfig:
    stage = JointSeparatorStageConfig(
        global_model=GlobalSeparatorConfig(
            width=64, depth=2, heads=4, global_width=64, max_text=17
        ),
        local_model=LocalSeparatorConfig(
            width=64, depth=2, heads=4, audio_width=64, time_patches=16, max_text=17
        ),
        samples=40_960,
    )
    return ExperimentConfig(
        stage=stage,
        data=DataConfig(batch_size=8, max_text_tokens=16, eval_examples=16),
        optim={"model": OptimConfig(lr=1e-4, warmup_steps=5)},
        run=RunConfig(steps=20, log_every=5, eval_every=10, save_every=10, keep=1),
        upstream=UPSTREAM,
    )
