"""The acoustic decoder fine-tuned on the separators' estimates; optional, the paper does without.

python train.py configs/decoder_tuning.py --size demo --workdir runs/decoder_tuning
hsmtss export configs/pipeline.py OUT bundles.acoustic_decoder=runs/decoder_tuning/bundle
"""

from hsmtss_jax.config import DataConfig, ExperimentConfig, OptimConfig, RunConfig
from hsmtss_jax.models.acoustic_decoder import AcousticDecoderConfig
from hsmtss_jax.stages.decoder_tuning import DecoderTuningStageConfig

UPSTREAM = {
    "audio_mae": "runs/audio_mae/bundle",
    "text_encoder": "runs/text_encoder/bundle",
    "q_audio": "runs/q_audio/bundle",
    "joint_separator": "runs/joint_separator/bundle",
    "tf_codec": "runs/tf_codec/bundle",
    "acoustic_decoder": "runs/acoustic_decoder/bundle",
}


def get_config(size: str = "paper") -> ExperimentConfig:
    """size: paper (185.5 M parameters) | demo (two CPU cores) | tiny (seconds)."""
    return {"paper": _paper, "demo": _demo, "tiny": _tiny}[size]()


def _paper() -> ExperimentConfig:
    return ExperimentConfig(
        stage=DecoderTuningStageConfig(model=AcousticDecoderConfig(remat=True)),
        data=DataConfig(root="corpora/captioned", batch_size=128, workers=16),
        optim={"model": OptimConfig(lr=5e-5, b2=0.95, weight_decay=0.1, warmup_steps=1_000)},
        run=RunConfig(steps=30_000),
        upstream=UPSTREAM,
    )


def _demo() -> ExperimentConfig:
    model = AcousticDecoderConfig(
        width=256,
        depth=4,
        heads=8,
        groups=8,
        codes=256,
        audio_width=192,
        time_patches=16,
        condition="columns",
        dropout=0.0,
    )
    return ExperimentConfig(
        stage=DecoderTuningStageConfig(model=model, samples=40_960),
        data=DataConfig(batch_size=32, max_text_tokens=16, eval_examples=128),
        optim={
            "model": OptimConfig(
                lr=5e-4, b2=0.95, weight_decay=0.1, warmup_steps=20, end_lr=1e-5, ema=0.99
            )
        },
        run=RunConfig(steps=400, log_every=20, eval_every=100, save_every=50),
        upstream=UPSTREAM,
    )


def _tiny() -> ExperimentConfig:
    model = AcousticDecoderConfig(
        width=64, depth=2, heads=4, groups=4, codes=32, audio_width=64, time_patches=16
    )
    return ExperimentConfig(
        stage=DecoderTuningStageConfig(model=model, samples=40_960),
        data=DataConfig(batch_size=8, max_text_tokens=16, eval_examples=16),
        optim={"model": OptimConfig(lr=1e-3, b2=0.95, weight_decay=0.1, warmup_steps=5)},
        run=RunConfig(steps=20, log_every=5, eval_every=10, save_every=10, keep=1),
        upstream=UPSTREAM,
    )
