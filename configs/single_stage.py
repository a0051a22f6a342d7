"""The paper's ablation "Ours single": one separator, no global stage, the text encoder's own outputs.

python train.py configs/single_stage.py --size demo --workdir runs/single_stage
hsmtss export configs/pipeline.py runs/pipeline_single --size demo separator=single_stage
"""

from hsmtss_jax.config import ExperimentConfig, RunConfig
from hsmtss_jax.configs import common
from hsmtss_jax.models.local_separator import LocalSeparatorConfig
from hsmtss_jax.stages.single_stage import SingleStageConfig
from hsmtss_jax.stages.sizes import inherit

UPSTREAM = common.bundles("audio_mae", "text_encoder")


def get_config(size: str = "paper") -> ExperimentConfig:
    """Build the experiment.

    size: paper (12 x 768) | base (an accelerator)
    | demo (two CPU cores) | tiny (seconds).
    """
    return {"paper": _paper, "base": _base, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    model = inherit(LocalSeparatorConfig(max_text=64, remat=True))
    return ExperimentConfig(
        stage=SingleStageConfig(model=model),
        data=common.paper_data(128),
        optim=common.adamw(1e-4, warmup_steps=5_000),
        run=RunConfig(steps=250_000),  # the local separator's alone and in the joint fine-tune
        upstream=UPSTREAM,
    )


def _demo() -> ExperimentConfig:
    model = LocalSeparatorConfig(
        width=192,
        depth=4,
        heads=6,
        dropout=0.0,  # one pass over the mixtures: nothing is seen twice
        residual=True,  # a short training starts from the mixture
        max_text=16,
    )
    return ExperimentConfig(
        stage=SingleStageConfig(model=inherit(model), samples=40_960),
        data=common.demo_words(32, root=common.FEATURES),
        optim=common.adamw(1e-3, warmup_steps=50, end_lr=1e-6, ema=0.99),
        run=RunConfig(steps=1_400, log_every=20, eval_every=350, save_every=100),
        upstream=UPSTREAM,
    )


def _base() -> ExperimentConfig:
    model = LocalSeparatorConfig(
        width=384,
        depth=8,
        heads=6,
        dropout=0.0,
        residual=True,  # a short training starts from the mixture
        max_text=16,
    )
    return ExperimentConfig(
        stage=SingleStageConfig(model=inherit(model), samples=40_960),
        data=common.base_words(128, root=common.FEATURES),
        optim=common.adamw(7e-4, warmup_steps=100, end_lr=1e-6, ema=0.99),
        run=common.base_run(4_000),
        upstream=UPSTREAM,
    )


def _tiny() -> ExperimentConfig:
    model = inherit(LocalSeparatorConfig(width=64, depth=2, heads=4, max_text=16))
    return ExperimentConfig(
        stage=SingleStageConfig(model=model, samples=40_960),
        data=common.tiny_words(),
        optim=common.tiny_adamw(),
        run=common.tiny_run(),
        upstream=UPSTREAM,
    )
