"""The global-semantic separator H1, on mixtures, with AudioMAE, text encoder and Q-Audio frozen.

python train.py configs/global_separator.py --size demo --workdir runs/global_separator
"""

from hsmtss_jax.config import ExperimentConfig, RunConfig
from hsmtss_jax.configs import common
from hsmtss_jax.models.global_separator import GlobalSeparatorConfig
from hsmtss_jax.stages.global_separator import GlobalSeparatorStageConfig
from hsmtss_jax.stages.sizes import inherit


def get_config(size: str = "paper") -> ExperimentConfig:
    """Build the experiment.

    size: paper (6 x 768) | base (an accelerator)
    | demo (two CPU cores) | tiny (seconds).
    """
    return {"paper": _paper, "base": _base, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    return ExperimentConfig(
        stage=GlobalSeparatorStageConfig(model=inherit(GlobalSeparatorConfig())),
        data=common.paper_data(256),
        optim=common.adamw(1e-4, warmup_steps=2_000),
        run=RunConfig(steps=50_000),
        upstream=common.ENCODERS,
    )


def _demo() -> ExperimentConfig:
    model = GlobalSeparatorConfig(width=192, depth=4, heads=6, dropout=0.1, max_text=17)
    return ExperimentConfig(
        stage=GlobalSeparatorStageConfig(model=inherit(model), samples=40_960),
        data=common.demo_mixtures(),
        optim=common.adamw(1e-3, warmup_steps=30, end_lr=1e-5, ema=0.99),
        run=RunConfig(steps=800, log_every=25, eval_every=200, save_every=100),
        upstream=common.ENCODERS,
    )


def _base() -> ExperimentConfig:
    model = GlobalSeparatorConfig(width=384, depth=6, heads=6, dropout=0.1, max_text=17)
    return ExperimentConfig(
        stage=GlobalSeparatorStageConfig(model=inherit(model), samples=40_960),
        data=common.base_mixtures(128),
        optim=common.adamw(7e-4, warmup_steps=100, end_lr=1e-5, ema=0.99),
        run=common.base_run(2_000),
        upstream=common.ENCODERS,
    )


def _tiny() -> ExperimentConfig:
    model = inherit(GlobalSeparatorConfig(width=64, depth=2, heads=4, max_text=17))
    return ExperimentConfig(
        stage=GlobalSeparatorStageConfig(model=model, samples=40_960),
        data=common.tiny_words(),
        optim=common.tiny_adamw(),
        run=common.tiny_run(),
        upstream=common.ENCODERS,
    )
