"""Figures of a step that is only compiled: counts, memory, and that it shrinks where it is sharded."""

import dataclasses

import jax
import pytest

from hsmtss_jax.config import load_config
from hsmtss_jax.conversion import override
from hsmtss_jax.planning.program import figures, nearest_batch
from hsmtss_jax.planning.target import find_target, has_tpu_compiler
from hsmtss_jax.testing.bundles import make_stage, zero_batch
from hsmtss_jax.train.plan import jit_step, prepare

TINY = ["mesh.data=1", "data.batch_size=4", "run.dtype=float32"]


def tiny(*changes: str):
    return override(load_config("audio_mae", "tiny"), [*TINY, *changes])


def test_figures_are_those_of_the_program_that_runs():
    config = tiny()
    known = figures(config, "tiny", find_target("h100", 1), compiles=False)
    plan = prepare(config, make_stage("audio_mae", batch_size=4))
    state = plan.init()
    assert known.parameters == sum(leaf.size for leaf in jax.tree.leaves(state.params))
    assert known.memory.state == known.checkpoint == sum(x.nbytes for x in jax.tree.leaves(state))
    batch = zero_batch(plan.stage)
    assert known.memory.batch == sum(leaf.nbytes for leaf in batch.values())
    lowered = jit_step(plan).lower(state, batch, plan.step_frozen, plan.key)
    assert lowered.out_info[1].keys()  # the same step, with its metrics
    assert known.memory.temporary == 0 == known.compile_seconds


def test_sharded_parameters_take_their_part():
    target = find_target("h100", 4)
    whole = figures(tiny("mesh.shard_from=1"), "tiny", target, compiles=False)
    parts = figures(tiny("mesh.fsdp=4", "mesh.shard_from=1"), "tiny", target, compiles=False)
    assert parts.memory.state == pytest.approx(whole.memory.state / 4, rel=0.02)
    assert parts.memory.batch == whole.memory.batch / 4
    assert parts.work == whole.work


def test_the_compiler_tells_the_temporary_memory():
    known = figures(tiny(), "tiny", find_target("h100", 1))
    assert known.memory.temporary > 4 * known.parameters  # the gradients at least
    assert known.memory.total > known.memory.state + known.memory.temporary


def test_paper_sizes_cost_nothing_to_trace():
    """HSM-TSS: the decoder has 185.5 M parameters."""
    config = override(load_config("acoustic_decoder", "paper"), ["mesh.data=4"])
    known = figures(config, "paper", find_target("h100", 4), compiles=False)
    assert known.parameters == pytest.approx(185.5e6, rel=1e-3)
    assert known.frozen > 85e6  # AudioMAE's encoder
    assert known.work.turns > 1000  # the codec's recurrence over time


@pytest.mark.parametrize(
    ("batch", "devices", "near"), [(200, 16, 192), (128, 256, 256), (96, 8, 96)]
)
def test_the_nearest_batch(batch, devices, near):
    assert nearest_batch(batch, devices) == near


def test_a_batch_that_does_not_split_is_refused():
    with pytest.raises(ValueError, match="must be a multiple of devices"):
        figures(tiny("data.batch_size=6", "mesh.data=4"), "tiny", find_target("h100", 4))


@pytest.mark.extra
@pytest.mark.skipif(not has_tpu_compiler(), reason="needs the tpu extra")
def test_a_tiny_stage_compiles_for_a_tpu():
    config = tiny("mesh.data=4", "data.batch_size=8", "run.dtype=auto")
    target = find_target("tpu-v5e", 4)
    known = figures(config, "tiny", target)
    assert dataclasses.astuple(known.memory) > (0, 0, 0, 0) and known.memory.temporary > 0
