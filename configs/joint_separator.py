"""Both separators fine-tuned end to end, from their trained bundles, which say their sizes.

python train.py configs/joint_separator.py --size demo --workdir runs/joint_separator
"""

from hsmtss_jax.config import ExperimentConfig, RunConfig
from hsmtss_jax.configs import common
from hsmtss_jax.stages.joint_separator import JointSeparatorStageConfig

UPSTREAM = {**common.ENCODERS, **common.bundles("global_separator", "local_separator")}


def get_config(size: str = "paper") -> ExperimentConfig:
    """Build the experiment.

    size: paper (6 x 768 and 12 x 768) | base (an accelerator)
    | demo (two CPU cores) | tiny (seconds).
    """
    return {"paper": _paper, "base": _base, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    return ExperimentConfig(
        stage=JointSeparatorStageConfig(),
        data=common.paper_data(128),
        optim=common.adamw(2e-5, ema=0.9999),
        run=RunConfig(steps=50_000),
        upstream=UPSTREAM,
    )


def _demo() -> ExperimentConfig:
    return ExperimentConfig(
        stage=JointSeparatorStageConfig(samples=40_960),
        data=common.demo_mixtures(),
        optim=common.adamw(8e-4, warmup_steps=50, end_lr=1e-6, ema=0.99),
        run=RunConfig(steps=900, log_every=20, eval_every=300, save_every=100),
        upstream=UPSTREAM,
    )


def _base() -> ExperimentConfig:
    return ExperimentConfig(
        stage=JointSeparatorStageConfig(samples=40_960),
        data=common.base_mixtures(128),
        optim=common.adamw(5e-4, warmup_steps=100, end_lr=1e-6, ema=0.99),
        run=common.base_run(2_000),
        upstream=UPSTREAM,
    )


def _tiny() -> ExperimentConfig:
    return ExperimentConfig(
        stage=JointSeparatorStageConfig(samples=40_960),
        data=common.tiny_words(),
        optim=common.tiny_adamw(1e-4),
        run=common.tiny_run(),
        upstream=UPSTREAM,
    )
