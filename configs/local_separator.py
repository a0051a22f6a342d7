"""The local-semantic separator H2, on mixtures and given the target's global feature.

python train.py configs/local_separator.py --size demo --workdir runs/local_separator
"""

from hsmtss_jax.config import ExperimentConfig, RunConfig
from hsmtss_jax.configs import common
from hsmtss_jax.models.local_separator import LocalSeparatorConfig
from hsmtss_jax.stages.local_separator import LocalSeparatorStageConfig
from hsmtss_jax.stages.sizes import inherit


def get_config(size: str = "paper") -> ExperimentConfig:
    """Build the experiment.

    size: paper (12 x 768) | base (an accelerator)
    | demo (two CPU cores) | tiny (seconds).
    """
    return {"paper": _paper, "base": _base, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    return ExperimentConfig(
        stage=LocalSeparatorStageConfig(model=inherit(LocalSeparatorConfig(remat=True))),
        data=common.paper_data(128),
        optim=common.adamw(1e-4, warmup_steps=5_000),
        run=RunConfig(steps=200_000),
        upstream=common.ENCODERS,
    )


def _demo() -> ExperimentConfig:
    model = LocalSeparatorConfig(
        width=192,
        depth=4,
        heads=6,
        dropout=0.0,  # one pass over the mixtures: nothing is seen twice
        residual=True,  # a short training starts from the mixture
        max_text=17,
    )
    return ExperimentConfig(
        stage=LocalSeparatorStageConfig(model=inherit(model), samples=40_960),
        data=common.demo_mixtures(),
        optim=common.adamw(1e-3, warmup_steps=50, end_lr=1e-5, ema=0.99),
        run=RunConfig(steps=500, log_every=20, eval_every=250, save_every=100),
        upstream=common.ENCODERS,
    )


def _base() -> ExperimentConfig:
    model = LocalSeparatorConfig(
        width=384,
        depth=8,
        heads=6,
        dropout=0.0,
        residual=True,  # a short training starts from the mixture
        max_text=17,
    )
    return ExperimentConfig(
        stage=LocalSeparatorStageConfig(model=inherit(model), samples=40_960),
        data=common.base_mixtures(128),
        optim=common.adamw(7e-4, warmup_steps=100, end_lr=1e-5, ema=0.99),
        run=common.base_run(2_000),
        upstream=common.ENCODERS,
    )


def _tiny() -> ExperimentConfig:
    model = inherit(LocalSeparatorConfig(width=64, depth=2, heads=4, max_text=17))
    return ExperimentConfig(
        stage=LocalSeparatorStageConfig(model=model, samples=40_960),
        data=common.tiny_words(),
        optim=common.tiny_adamw(),
        run=common.tiny_run(),
        upstream=common.ENCODERS,
    )
