"""Captioning with a prefix of GPT-2, a measure of the representation.

python train.py configs/captioner.py --size demo --workdir runs/captioner
"""

from hsmtss_jax.config import ExperimentConfig, RunConfig
from hsmtss_jax.configs import common
from hsmtss_jax.models.captioner import CaptionerConfig
from hsmtss_jax.stages.captioner import CaptionerStageConfig
from hsmtss_jax.stages.sizes import inherit

UPSTREAM = common.bundles("audio_mae", "q_audio", "gpt2")


def get_config(size: str = "paper") -> ExperimentConfig:
    """Build the experiment.

    size: paper (GPT-2 small, fine-tuned) | base (an accelerator)
    | demo (a small one from nothing, two CPU cores) | tiny.
    """
    return {"paper": _paper, "base": _base, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    # AudioCaps or Clotho: 50 k clips x 10 epochs / 64 = 7.8 k steps; the rest is MSCLAP's.
    return ExperimentConfig(
        stage=CaptionerStageConfig(model=inherit(CaptionerConfig())),
        data=common.paper_data(64, max_text_tokens=67),
        optim=common.adamw(2e-5, b2=0.999, warmup_steps=5_000, end_lr=0.0),
        run=RunConfig(steps=7_800),
        upstream=UPSTREAM,
    )


def _demo() -> ExperimentConfig:
    # A small GPT-2 that learns to write together with the map: see data/language_model/prepare.py.
    model = inherit(CaptionerConfig(global_tokens=4, use_local=True))
    return ExperimentConfig(
        stage=CaptionerStageConfig(model=model, samples=40_960),
        data=common.demo_words(64, eval_examples=480),
        optim=common.adamw(1e-3, weight_decay=0.05, warmup_steps=50, end_lr=1e-5),
        run=RunConfig(steps=600, log_every=20, eval_every=100, save_every=100),
        upstream=UPSTREAM,
    )


def _base() -> ExperimentConfig:
    model = inherit(CaptionerConfig(global_tokens=4, use_local=True))
    return ExperimentConfig(
        stage=CaptionerStageConfig(model=model, samples=40_960),
        data=common.base_words(128, eval_examples=480),
        optim=common.adamw(1e-3, weight_decay=0.05, warmup_steps=100, end_lr=1e-5),
        run=common.base_run(1_500),
        upstream=UPSTREAM,
    )


def _tiny() -> ExperimentConfig:
    model = inherit(CaptionerConfig(global_tokens=2, use_local=True))
    return ExperimentConfig(
        stage=CaptionerStageConfig(model=model, samples=40_960),
        data=common.tiny_words(),
        optim=common.tiny_adamw(),
        run=common.tiny_run(),
        upstream=UPSTREAM,
    )
