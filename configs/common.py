"""What the experiments share: where upstream bundles are, the data presets, the optimiser, the tiny run."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from hsmtss_jax.config import DataConfig, OptimConfig, RunConfig, SetConfig

CLIPS = "corpora/opensounds"  # by data/opensounds/prepare.py
FEATURES = "corpora/opensounds_features"  # of its mixtures, by hsmtss precompute


def sets(*names: str, **changes: Any) -> tuple[SetConfig, ...]:
    """Return data sets by the folders where ``hsmtss data prepare`` leaves them; changes: of each."""
    return tuple(SetConfig(root=f"corpora/{name}", **changes) for name in names)


# HSM-TSS section IV-A, without its 2,000 clips of ESC-50: that is a test set here.
CAPTIONED = sets("audiocaps", "clotho", "fsd50k", "wavcaps")
AUDIOSET = sets("audioset")  # AudioMAE
SOUNDS = sets(
    "audioset", "jamendo", "speech", weight=1.0, hours=2_000
)  # codec and acoustic decoder


def bundles(*names: str) -> Mapping[str, str]:
    """Return the folders where the stages leave their bundles, by name."""
    return {name: f"runs/{name}/bundle" for name in names}


ENCODERS = bundles("audio_mae", "text_encoder", "q_audio")


def paper_data(
    batch_size: int, sets: tuple[SetConfig, ...] = CAPTIONED, **changes: Any
) -> DataConfig:
    """Return the paper's data (HSM-TSS section IV-A): clips as they are, cut or padded to the window.

    Mixtures are plain sums of pairs whose SNR is within 15 dB. No augmentation, no balancing: the same
    for the system, its ablation and the baseline.
    """
    preset = DataConfig(
        root="",
        sets=sets,
        batch_size=batch_size,
        workers=16,
        snr_db=(-15.0, 15.0),
        mix_mode="raw_reject",
        short_clips="pad",
        balance=0.0,
        augment=False,
    )
    return dataclasses.replace(preset, **changes)


def demo_data(batch_size: int, **changes: Any) -> DataConfig:
    """Return the data of the shipped bundle: few clips, so they are augmented, balanced and repeated."""
    return dataclasses.replace(DataConfig(root=CLIPS, batch_size=batch_size), **changes)


def demo_words(batch_size: int, **changes: Any) -> DataConfig:
    """Return the same with captions, of 16 tokens at most."""
    return demo_data(batch_size, max_text_tokens=16, **changes)


def varied_mixtures(batch_size: int, **changes: Any) -> DataConfig:
    """Return mixtures as recordings may be: two to four sounds, or the asked one missing, any level.

    Rooms, telephones and other band limits are for training alone; the rest holds in validation, too.
    """
    varied: dict[str, Any] = {
        "text_cache": "runs/text_features",
        "sources": (2, 4),
        "absent_probability": 0.1,
        "clean_probability": 0.05,
        "room_probability": 0.1,
        "band_probability": 0.15,
        "level_db": (-45.0, -6.0),
    }
    return demo_words(batch_size, **(varied | changes))


def demo_mixtures(batch_size: int = 32) -> DataConfig:
    """Return the demo's mixtures: their features were computed once, and so are those of captions."""
    return demo_words(batch_size, root=FEATURES, text_cache="runs/text_features")


BASE_WORKERS = 12  # processes that mix: an accelerator waits for sounds


def base_data(batch_size: int, **changes: Any) -> DataConfig:
    """Return the demo's data for an accelerator: larger batches, made by worker processes."""
    return demo_data(batch_size, **({"workers": BASE_WORKERS} | changes))


def base_words(batch_size: int, **changes: Any) -> DataConfig:
    """Return the same with captions, of 16 tokens at most."""
    return base_data(batch_size, max_text_tokens=16, **changes)


def base_mixtures(batch_size: int) -> DataConfig:
    """Return mixtures whose features were computed once, and so were those of captions."""
    return base_words(batch_size, root=FEATURES, text_cache="runs/text_features")


def tiny_data(batch_size: int = 8, **changes: Any) -> DataConfig:
    """Return data for a run of seconds."""
    return DataConfig(root=CLIPS, batch_size=batch_size, eval_examples=16, **changes)


def tiny_words(**changes: Any) -> DataConfig:
    """Return the same with captions, of 16 tokens at most."""
    return tiny_data(max_text_tokens=16, **changes)


def adamw(lr: float, **changes: Any) -> Mapping[str, OptimConfig]:
    """Return the optimiser of a stage with one group; changes: other fields of OptimConfig."""
    return {"model": OptimConfig(lr=lr, **changes)}


def tiny_adamw(lr: float = 1e-3, **changes: Any) -> Mapping[str, OptimConfig]:
    """Return an optimiser that is warm after five updates."""
    return adamw(lr, warmup_steps=5, **changes)


def codec_adam(lr: float, **changes: Any) -> OptimConfig:
    """Return the TF-Codec reference's Adam: each tensor's gradient clipped, a constant rate, no decay."""
    plain = OptimConfig(
        lr=lr,
        b1=0.9,
        b2=0.999,
        weight_decay=0.0,
        warmup_steps=0,
        schedule="constant",
        clip_per_tensor=True,
    )
    return dataclasses.replace(plain, **changes)


def base_run(steps: int) -> RunConfig:
    """Return a run of minutes on an accelerator, validated three times."""
    return RunConfig(steps=steps, log_every=50, eval_every=-(-steps // 3), save_every=500)


def tiny_run() -> RunConfig:
    """Return a run of 20 steps that logs, validates and saves."""
    return RunConfig(steps=20, log_every=5, eval_every=10, save_every=10, keep=1)
