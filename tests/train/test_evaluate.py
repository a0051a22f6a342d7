"""Validation: masked means over the real examples only."""

import numpy as np
import pytest

from hsmtss_jax.config import Shard
from hsmtss_jax.train.evaluate import evaluate, make_eval_step
from hsmtss_jax.train.plan import prepare
from tests.train.toy import toy_config, toy_stage


def score(batches):
    config = toy_config()
    plan = prepare(config, toy_stage(config))
    state = plan.init()
    step = make_eval_step(plan.stage, plan.mesh)
    size = config.data.batch_size
    return evaluate(step, plan.eval_inputs(state), batches, plan.mesh, size)


def test_a_short_last_batch_counts_only_its_own_examples():
    config = toy_config()
    whole = toy_stage(config).dataset("validation", Shard(), 0)
    batches = list(whole)
    assert [len(batch["y"]) for batch in batches] == [16, 8]
    merged = {name: np.concatenate([b[name] for b in batches]) for name in batches[0]}
    thirds = [{name: value[i : i + 8] for name, value in merged.items()} for i in (0, 8, 16)]
    np.testing.assert_allclose(score(batches)["loss"], score(thirds)["loss"], rtol=1e-6)
    assert score(batches)["one"] == 1.0


def test_no_batch_is_an_error():
    with pytest.raises(ValueError, match="validation split gave no batch"):
        score([])
