"""Q-Audio pre-training.

python train.py configs/q_audio.py --size demo --workdir runs/q_audio
"""

from hsmtss_jax.config import ExperimentConfig, RunConfig
from hsmtss_jax.configs import common
from hsmtss_jax.models.q_audio import QAudioConfig
from hsmtss_jax.stages.q_audio import QAudioStageConfig
from hsmtss_jax.stages.sizes import inherit

UPSTREAM = common.bundles("audio_mae", "text_encoder")


def get_config(size: str = "paper") -> ExperimentConfig:
    """Build the experiment.

    size: paper (two layers of 768, FLAN-T5-base) | base (an accelerator)
    | demo (two CPU cores, MiniLM) | tiny (seconds).
    """
    return {"paper": _paper, "base": _base, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    # 230 k clips x 20 epochs / 512 = 9 k steps.
    undecayed = r"(bias|scale|query|token|position|temperature)$"
    return ExperimentConfig(
        stage=QAudioStageConfig(model=inherit(QAudioConfig())),
        data=common.paper_data(512),
        optim=common.adamw(1e-4, weight_decay=0.05, warmup_steps=1_000, decay_exclude=undecayed),
        run=RunConfig(steps=9_000),
        upstream=UPSTREAM,
    )


def _demo() -> ExperimentConfig:
    model = QAudioConfig(
        width=192, heads=6, mlp=768, contrastive=128, max_text=16, scale_logits=False
    )
    return ExperimentConfig(
        stage=QAudioStageConfig(model=inherit(model), samples=40_960),
        data=common.demo_words(48, eval_examples=480),
        optim=common.adamw(1e-3, weight_decay=0.05, warmup_steps=50, end_lr=1e-5, ema=0.99),
        run=RunConfig(steps=1_000, log_every=20, eval_every=200, save_every=100),
        upstream=UPSTREAM,
    )


def _base() -> ExperimentConfig:
    model = QAudioConfig(
        width=384, heads=6, mlp=1536, contrastive=256, max_text=16, scale_logits=False
    )
    return ExperimentConfig(
        stage=QAudioStageConfig(model=inherit(model), samples=40_960),
        data=common.base_words(256, eval_examples=480),
        optim=common.adamw(1e-3, weight_decay=0.05, warmup_steps=200, end_lr=1e-5, ema=0.99),
        run=common.base_run(2_000),
        upstream=UPSTREAM,
    )


def _tiny() -> ExperimentConfig:
    model = QAudioConfig(width=64, heads=4, mlp=128, contrastive=16, max_text=16)
    return ExperimentConfig(
        stage=QAudioStageConfig(model=inherit(model), samples=40_960),
        data=common.tiny_words(),
        optim=common.tiny_adamw(),
        run=common.tiny_run(),
        upstream=UPSTREAM,
    )
