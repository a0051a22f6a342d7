"""The mask baseline (LASS-Net, AudioSep): a ResUNet on the STFT, trained on the waveform.

python train.py configs/mask_separator.py --size demo --workdir runs/mask_separator
hsmtss export pipeline runs/mask_pipeline --size demo separator=mask_separator
hsmtss evaluate separation --baseline runs/mask_pipeline -o scores.json
"""

from hsmtss_jax.config import ExperimentConfig, RunConfig
from hsmtss_jax.configs import common
from hsmtss_jax.models.mask_separator import MaskSeparatorConfig
from hsmtss_jax.stages.mask_separator import MaskSeparatorStageConfig

UPSTREAM = common.bundles("text_encoder")


def get_config(size: str = "paper") -> ExperimentConfig:
    """Build the experiment.

    size: paper (AudioSep's ResUNet30) | base (an accelerator)
    | demo (two CPU cores) | tiny (seconds).
    """
    return {"paper": _paper, "base": _base, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    # AudioSep's recipe on the paper's clips: noise brought to within 10 dB of the target, batches of 12
    # a device on eight, no decay and no clipping, three low rates of 10,000 updates each to begin with.
    return ExperimentConfig(
        stage=MaskSeparatorStageConfig(),
        data=common.paper_data(96, mix_mode="scale", snr_db=(-10.0, 10.0)),
        optim=common.adamw(
            1e-3,
            b2=0.999,
            weight_decay=0.0,
            amsgrad=True,
            clip=0.0,
            schedule="staircase",
            stairs=(1e-6, 1e-5, 1e-4),
            warmup_steps=10_000,
        ),
        run=RunConfig(steps=1_000_000, eval_every=10_000, save_every=10_000),
        upstream=UPSTREAM,
    )


def _demo() -> ExperimentConfig:
    model = MaskSeparatorConfig(channels=(8, 16, 32, 64, 96, 96), n_fft=512)
    return ExperimentConfig(
        stage=MaskSeparatorStageConfig(model=model, samples=40_960),
        data=common.demo_words(8),
        optim=common.adamw(1e-3, b2=0.999, warmup_steps=50, ema=0.99),
        run=RunConfig(steps=3_000, log_every=25, eval_every=500, save_every=250),
        upstream=UPSTREAM,
    )


def _base() -> ExperimentConfig:
    model = MaskSeparatorConfig(channels=(16, 32, 64, 128, 192, 192), n_fft=512)
    return ExperimentConfig(
        stage=MaskSeparatorStageConfig(model=model, samples=40_960),
        data=common.base_words(64),
        optim=common.adamw(1e-3, b2=0.999, warmup_steps=300, ema=0.99),
        run=common.base_run(8_000),
        upstream=UPSTREAM,
    )


def _tiny() -> ExperimentConfig:
    model = MaskSeparatorConfig(channels=(4,), n_fft=256)
    return ExperimentConfig(
        stage=MaskSeparatorStageConfig(model=model, samples=8_192),
        data=common.tiny_words(),
        optim=common.tiny_adamw(),
        run=common.tiny_run(),
        upstream=UPSTREAM,
    )
