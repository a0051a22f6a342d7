"""What the paper fixes of its separators, read from the configs at size ``paper``."""

import jax
import pytest

from hsmtss_jax.config import load_config
from hsmtss_jax.testing.bundles import frozen_params, make_stage
from tests.models.separator_inputs import count

BODY = {"global": 42_528_768, "local": 85_646_592}  # the layers; the local one with its read-out
STREAM = 2 * 768 + 768 * 768 + 768 + 768  # LayerNorm, Dense and segment embedding of an input
OUT = 768 * 768 + 768
GLOBAL = BODY["global"] + OUT + 3 * STREAM + (65 + 4) * 768
LOCAL = BODY["local"] + 4 * STREAM + (65 + 4) * 768
SINGLE = BODY["local"] + 3 * STREAM + (64 + 4) * 768  # no G, no [CLS]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("global_separator", GLOBAL),
        ("local_separator", LOCAL),
        ("joint_separator", GLOBAL + LOCAL),
        ("single_stage", SINGLE),
    ],
)
def test_parameters_of_the_release(name: str, parameters: int):
    stage = make_stage(name, "paper", abstract=True)
    shapes = jax.eval_shape(
        lambda key, batch, frozen: stage.release(*stage.init(key, batch, frozen)),
        jax.random.key(0),
        stage.batch_spec(),
        frozen_params(stage),
    )
    assert count(shapes) == parameters


@pytest.mark.parametrize(
    ("name", "batch", "steps", "warmup", "lr", "ema"),
    [
        ("global_separator", 256, 50_000, 2_000, 1e-4, 0.0),
        ("local_separator", 128, 200_000, 5_000, 1e-4, 0.0),
        ("joint_separator", 128, 50_000, 2_000, 2e-5, 0.9999),
        ("single_stage", 128, 250_000, 5_000, 1e-4, 0.0),
    ],
)
def test_optimiser_of_the_paper_size(
    name: str, batch: int, steps: int, warmup: int, lr: float, ema: float
):
    config = load_config(name, "paper")
    optim = config.optim["model"]
    assert (config.data.batch_size, config.run.steps) == (batch, steps)
    assert (optim.warmup_steps, optim.lr, optim.end_lr) == (warmup, lr, 1e-6)
    assert (optim.b1, optim.b2, optim.weight_decay, optim.clip) == (0.9, 0.98, 0.01, 1.0)
    assert (optim.schedule, optim.ema) == ("cosine", ema)


def test_the_papers_weights_and_switcher():
    joint = make_stage("joint_separator", "paper", abstract=True).config
    assert (joint.target_probability, joint.global_weight, joint.local_weight) == (0.1, 0.1, 1.0)
    assert (joint.similarity_weight, joint.l1_weight) == (1.0, 1.0)
    models = {name: getattr(joint, f"{name}_model") for name in ("global", "local")}
    single = make_stage("single_stage", "paper", abstract=True).config.model
    assert {name: model.depth for name, model in models.items()} == {"global": 6, "local": 12}
    for model in (*models.values(), single):
        assert (model.width, model.heads, model.dropout) == (768, 8, 0.1)
    assert (single.depth, models["local"].patches, single.patches) == (12, 512, 512)
    assert not (models["local"].residual or models["local"].standardise)
