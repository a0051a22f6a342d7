"""Options are checked when they are made; results say what they are."""

import dataclasses

import pytest

from hsmtss_jax.inference import (
    Failed,
    Presence,
    RuntimeOptions,
    SeparateOptions,
    SeparationReport,
    TargetAbsent,
)
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.instructions.amounts import read_amount
from hsmtss_jax.instructions.spans import read_span
from hsmtss_jax.sampling.policies import Policy


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mode": "x"}, "unknown mode 'x': choose one of mask, generate, blend"),
        ({"mask_from": "x"}, "unknown mask_from"),
        ({"windows": "x"}, "unknown windows"),
        ({"global_scope": "x"}, "unknown global_scope"),
        ({"best_of": 0}, "best_of must be at least 1"),
        ({"blend": 2.0}, "blend must be at least 0 and at most 1"),
        ({"min_presence": -1.0}, "min_presence"),
        ({"seed": -1}, "seed"),
        ({"temperature": -0.1}, "temperature"),
        ({"top_p": 0.0}, "top_p must be above 0"),
        ({"span": ("4-2",)}, "ends before it begins"),
        ({"span": "soon"}, "no span of time"),
        ({"amount": "loud"}, "no amount"),
    ],
)
def test_what_is_out_of_range_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        SeparateOptions(**options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dtype": "int3"}, "unknown dtype"),
        ({"batch": 0}, "batch must be at least 1"),
        ({"overlap": 0.95}, "overlap"),
        ({"segment": 0.0}, "segment must be above 0"),
    ],
)
def test_a_runtime_that_cannot_be_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        RuntimeOptions(**options)


@pytest.mark.parametrize(
    ("options", "generated"),
    [
        ({}, True),
        ({"mask_from": "target"}, False),
        ({"mode": "generate"}, True),
        ({"mode": "generate", "residual": False}, False),
        ({"mode": "generate", "mask_from": "target"}, True),
        ({"mode": "blend", "residual": False}, True),
    ],
)
def test_when_the_opposite_is_generated(options, generated):
    assert SeparateOptions(**options).generates_opposite == generated


def test_only_given_changes_replace():
    options = SeparateOptions(seed=3).replace(mode="blend", seed=None, residual=False)
    assert options == SeparateOptions(seed=3, mode="blend", residual=False)
    with pytest.raises(ValueError, match="best_of"):
        options.replace(best_of=0)


def test_the_bundle_s_policy_is_kept_where_nothing_else_is_said():
    default = Policy(temperature=0.5, top_k=9, top_p=0.7)
    assert SeparateOptions().policy(default) == default
    changed = SeparateOptions(temperature=0.0, top_k=0).policy(default)
    assert changed == Policy(temperature=0.0, top_k=0, top_p=0.7)


def test_an_absent_target_says_how_absent():
    error = TargetAbsent(Presence(0.123, 0.1, 0.2), Instruction("extract", "dog"), 0.5)
    assert str(error).endswith("its presence score is 0.12, below 0.50")
    assert float(error.presence) == 0.123
    assert Failed(error).error is error


def test_every_option_has_a_sentence():
    for kind in (SeparateOptions, RuntimeOptions):
        assert all(field.metadata["help"] for field in dataclasses.fields(kind))
    assert not set(SeparateOptions.__dataclass_fields__) & set(RuntimeOptions.__dataclass_fields__)
    assert "mode" in SeparationReport.__dataclass_fields__


def test_limits_of_the_options_win():
    said = Instruction("remove", "rain", spans=(read_span("2-4"),), amount=read_amount("6dB"))
    assert SeparateOptions().limited(said).limits == "by 6dB, 0:02-0:04"
    chosen = SeparateOptions(span=("1-2", "5-"), amount="100%").limited(said)
    assert chosen.limits == "0:01-0:02, 0:05-end"
    assert SeparateOptions(span="1-2").span == ("1-2",)


def test_an_amount_is_of_the_recording_itself():
    said = Instruction("remove", "rain", amount=read_amount("6dB"))
    with pytest.raises(ValueError, match="mode generate does not take away 6dB"):
        SeparateOptions(mode="generate").limited(said)
    whole = SeparateOptions(mode="generate", amount="100%").limited(said)
    assert whole.amount is None
