"""The paper's ablation "Ours single": one separator, no global stage, the text encoder's own outputs.

python train.py configs/single_stage.py --size demo --workdir runs/single_stage
hsmtss export configs/pipeline.py runs/pipeline_single --size demo separator=single_stage
"""

from hsmtss_jax.config import DataConfig, ExperimentConfig, OptimConfig, RunConfig
from hsmtss_jax.models.local_separator import LocalSeparatorConfig
from hsmtss_jax.stages.single_stage import SingleStageConfig

UPSTREAM = {
    "audio_mae": "runs/audio_mae/bundle",
    "text_encoder": "runs/text_encoder/bundle",
}

FEATURES = "corpora/opensounds_features"  # by hsmtss precompute


def get_config(size: str = "paper") -> ExperimentConfig:
    """size: paper (12 x 768) | demo (two CPU cores) | tiny (seconds)."""
    return {"paper": _paper, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    return ExperimentConfig(
        stage=SingleStageConfig(model=LocalSeparatorConfig(max_text=64, remat=True)),
        data=DataConfig(root="corpora/captioned", batch_size=128, workers=16),
        optim={"model": OptimConfig(lr=1e-4, b2=0.98, weight_decay=0.01, warmup_steps=5_000)},
        run=RunConfig(steps=250_000),  # the local separator's alone and in the joint fine-tune
        upstream=UPSTREAM,
    )


def _demo() -> ExperimentConfig:
    model = LocalSeparatorConfig(
        width=192,
        depth=4,
        heads=6,
        dropout=0.0,  # one pass over the mixtures: nothing is seen twice
        audio_width=192,
        residual=True,  # a short training starts from the mixture
        time_patches=16,
        max_text=16,
    )
    return ExperimentConfig(
        stage=SingleStageConfig(model=model, samples=40_960),
        data=DataConfig(root=FEATURES, batch_size=32, max_text_tokens=16),
        optim={
            "model": OptimConfig(
                lr=1e-3, b2=0.98, weight_decay=0.01, warmup_steps=50, end_lr=1e-6, ema=0.99
            )
        },
        run=RunConfig(steps=1_400, log_every=20, eval_every=350, save_every=100),
        upstream=UPSTREAM,
    )


def _tiny() -> ExperimentConfig:
    model = LocalSeparatorConfig(
        width=64, depth=2, heads=4, audio_width=64, time_patches=16, max_text=16
    )
    return ExperimentConfig(
        stage=SingleStageConfig(model=model, samples=40_960),
        data=DataConfig(batch_size=8, max_text_tokens=16, eval_examples=16),
        optim={"model": OptimConfig(lr=1e-3, warmup_steps=5)},
        run=RunConfig(steps=20, log_every=5, eval_every=10, save_every=10, keep=1),
        upstream=UPSTREAM,
    )
