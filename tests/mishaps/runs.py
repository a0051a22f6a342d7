"""Trainings of the toy stage for mishaps, and what is compared of them."""

import dataclasses
import warnings
from pathlib import Path

import jax
import numpy as np

from hsmtss_jax.bundles.bundle import load_bundle
from hsmtss_jax.config import ExperimentConfig
from hsmtss_jax.train.checkpoint import CheckpointWarning
from hsmtss_jax.train.loop import TrainOutcome, train
from tests.train.poisoned import poisoned
from tests.train.toy import toy_config

STEPS = 90


def config(**run) -> ExperimentConfig:
    """A run of 90 steps with checkpoints at 20, 40, 60 and 80; ``run`` changes its section."""
    usual = {"steps": STEPS, "log_every": 10, "eval_every": 0, "save_every": 20, "keep": 4}
    section = dataclasses.replace(toy_config().run, **{**usual, "patience": 6, **run})
    return toy_config(run=section)


def with_rate(config: ExperimentConfig, lr: float) -> ExperimentConfig:
    """The same with another learning rate."""
    optim = {name: dataclasses.replace(each, lr=lr) for name, each in config.optim.items()}
    return dataclasses.replace(config, optim=optim)


def go(config: ExperimentConfig, workdir: Path, numbers=(), amount=1e4, **options) -> TrainOutcome:
    """Train quietly; checkpoints that are passed over are warned of, which is not shown here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CheckpointWarning)
        return train(config, poisoned(config, numbers, amount), workdir, quiet=True, **options)


def same(workdir: Path, other: Path) -> bool:
    """Whether two finished runs released the same weights."""
    return load_bundle(workdir / "bundle").digest == load_bundle(other / "bundle").digest


def finite(state) -> bool:
    return all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(jax.device_get(state.params)))
