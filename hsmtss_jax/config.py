"""Typed experiment configs: frozen dataclasses with the paper's values as defaults."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, kw_only=True)
class StageConfig:
    """Base of every stage's config; ``name`` is the key in ``stages.STAGES``."""

    name: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Where examples come from and how they are made (spec section 9)."""

    root: str = "corpora/opensounds"  # a prepared data set: ArrayRecord in TFDS layout
    batch_size: int = 256  # global
    workers: int = 0  # grain worker processes; 0 reads in the training process
    snr_db: tuple[float, float] = (-15.0, 15.0)
    augment: bool = True  # pitch, speed, EQ, gain, reverberation; training split only
    max_text_tokens: int = 64
    remove_probability: float = 0.5  # share of (remove, caption of the other) examples
    eval_examples: int = 512  # size of the validation pass


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """One parameter group's optimiser: AdamW, linear warm-up, cosine or constant."""

    lr: float = 1e-4
    b1: float = 0.9
    b2: float = 0.98
    weight_decay: float = 0.01
    warmup_steps: int = 2000
    end_lr: float = 1e-6
    schedule: str = "cosine"  # cosine | constant
    clip: float = 1.0  # 0 turns clipping off
    clip_per_tensor: bool = False  # TF-Codec clips each tensor on its own
    decay_exclude: str = r"(bias|scale|embedding|pos|query|token)$"
    freeze: str = ""  # regex over parameter paths that are not trained
    l2: float = 0.0  # coupled L2 (the discriminator's)
    ema: float = 0.0  # 0 turns it off


@dataclasses.dataclass(frozen=True, kw_only=True)
class MeshConfig:
    """Devices: ``data`` x ``fsdp``; -1 takes what is left."""

    data: int = -1
    fsdp: int = 1
    multi_host: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig:
    """How long, how often, which seed."""

    steps: int = 50_000
    seed: int = 0
    log_every: int = 100
    eval_every: int = 2_000
    save_every: int = 1_000
    keep: int = 3
    accumulate: int = 1
    dtype: str = "auto"  # auto = bf16 on accelerators, float32 on CPU


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExperimentConfig:
    """A whole run: stage, data, optimiser per group, mesh, run."""

    stage: StageConfig
    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    optim: Mapping[str, OptimConfig] = dataclasses.field(default_factory=dict)
    mesh: MeshConfig = dataclasses.field(default_factory=MeshConfig)
    run: RunConfig = dataclasses.field(default_factory=RunConfig)
    upstream: Mapping[str, str] = dataclasses.field(default_factory=dict)  # name -> bundle folder
