"""Conversion of configs: overrides are checked against annotations, JSON rebuilds what it was made from."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Literal

import pytest

from hsmtss_jax.config import ExperimentConfig, Inherited, OptimConfig, StageConfig
from hsmtss_jax.conversion import check_values, from_dict, from_json, override, to_dict, to_json


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inner:
    width: int = 8
    rates: tuple[float, ...] = (0.5,)
    pair: tuple[int, str] = (1, "a")
    limit: float | None = None
    kind: Literal["prefix", "cross"] = "prefix"
    label: str | None = None
    weights: Mapping[str, float] = dataclasses.field(default_factory=lambda: {"mel": 0.25})


@dataclasses.dataclass(frozen=True, kw_only=True)
class MyStage(StageConfig):
    name: str = "mine"
    model: Inner = dataclasses.field(default_factory=Inner)


def experiment() -> ExperimentConfig:
    return ExperimentConfig(stage=MyStage(), optim={"model": OptimConfig()})


@pytest.mark.parametrize(
    ("text", "read", "value"),
    [
        ("optim.model.lr=1e-3", lambda c: c.optim["model"].lr, 1e-3),
        ("optim.model.lr=1", lambda c: c.optim["model"].lr, 1.0),
        ("run.steps=1e4", lambda c: c.run.steps, 10_000),
        ("data.augment=false", lambda c: c.data.augment, False),
        ("data.snr_db=-5,5", lambda c: c.data.snr_db, (-5.0, 5.0)),
        ("data.snr_db=(-5, 5)", lambda c: c.data.snr_db, (-5.0, 5.0)),
        ("data.root=corpora/1", lambda c: c.data.root, "corpora/1"),
        ("data.root=12", lambda c: c.data.root, "12"),
        ("stage.model.width=16", lambda c: c.stage.model.width, 16),
        ("stage.model.rates=0.1,0.2,0.3", lambda c: c.stage.model.rates, (0.1, 0.2, 0.3)),
        ("stage.model.rates=2", lambda c: c.stage.model.rates, (2.0,)),
        ("stage.model.pair=3,b", lambda c: c.stage.model.pair, (3, "b")),
        ("stage.model.limit=0.5", lambda c: c.stage.model.limit, 0.5),
        ("stage.model.limit=none", lambda c: c.stage.model.limit, None),
        ("stage.model.kind=cross", lambda c: c.stage.model.kind, "cross"),
        ("stage.model.label=x=y", lambda c: c.stage.model.label, "x=y"),
        ("stage.model.weights.mel=2", lambda c: c.stage.model.weights, {"mel": 2.0}),
        ("upstream.audio_mae=runs/a", lambda c: c.upstream, {"audio_mae": "runs/a"}),
    ],
)
def test_override(text, read, value):
    got = read(override(experiment(), [text]))
    assert got == value and type(got) is type(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("optim.model.lrr=1", "did you mean 'lr'"),
        ("optim.modle.lr=1", "did you mean 'model'"),
        ("stage.model.widht=1", "did you mean 'width'"),
        ("stage.width=1", "unknown field 'width'"),
        ("run.steps=many", "not int"),
        ("run.steps=1.5", "not int"),
        ("run.steps=true", "not int"),
        ("data.augment=1", "not bool"),
        ("data.snr_db=1,2,3", "takes 2 values"),
        ("stage.model.kind=other", "prefix, cross"),
        ("stage.model=3", "group of fields"),
        ("run.steps.more=3", "no fields"),
        ("run.steps", "path.to.field=value"),
    ],
)
def test_override_errors(text, words):
    with pytest.raises(ValueError, match=words) as error:
        override(experiment(), [text])
    assert "\n" not in str(error.value)


def test_json_rebuilds_the_experiment():
    config = override(experiment(), ["stage.model.rates=1,2", "data.snr_db=0,3", "upstream.x=y"])
    assert from_json(to_json(config), MyStage) == config
    assert from_dict(MyStage, to_dict(config.stage)) == config.stage


def test_from_dict_names_the_nearest_field():
    with pytest.raises(ValueError, match=r"'model\.widht': did you mean 'width'"):
        from_dict(MyStage, {"name": "mine", "model": {"widht": 3}})


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_from_json_refuses_other_text(text):
    with pytest.raises(ValueError, match="the config"):
        from_json(text, MyStage)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sized:
    width: Inherited = 8
    depth: int = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class SizedStage(StageConfig):
    name: str = "sized"
    model: Sized = dataclasses.field(default_factory=lambda: Sized(width=None))
    other: Sized | None = None


def test_sizes_of_the_upstream_are_none_until_then():
    config = ExperimentConfig(stage=SizedStage())
    assert from_json(to_json(config), SizedStage) == config
    assert override(config, ["stage.model.width=4"]).stage.model.width == 4
    again = override(config, ["stage.model.width=4", "stage.model.width=none"])
    assert again == config
    with pytest.raises(ValueError, match="not int"):
        override(config, ["stage.model.depth=none"])
    with pytest.raises(ValueError, match="not int"):
        override(config, ["stage.model.width=wide"])
    with pytest.raises(ValueError, match=r"above 'width' are the upstream's"):
        override(config, ["stage.other.width=4"])
    given = dataclasses.replace(config, stage=SizedStage(other=Sized()))
    assert override(given, ["stage.other=none"]) == config
    with pytest.raises(ValueError, match=r"'other\.widht': did you mean 'width'"):
        from_dict(SizedStage, {"other": {"widht": 3}})


@pytest.mark.parametrize(
    "text", ["data.mix_mode=sum", "optim.model.schedule=linear", "run.dtype=float16"]
)
def test_choices_are_checked(text):
    with pytest.raises(ValueError, match="choose one of"):
        override(experiment(), [text])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("run.steps=-5", "run.steps=-5: at least 1"),
        ("run.steps=0", "run.steps=0: at least 1"),
        ("run.log_every=0", "run.log_every=0: at least 1"),
        ("run.save_every=0", "run.save_every=0: at least 1"),
        ("run.seed=-1", "run.seed=-1: at least 0"),
        ("data.batch_size=0", "data.batch_size=0: at least 1"),
        ("data.workers=-1", "data.workers=-1: at least 0"),
        ("data.snr_db=15,-15", "data.snr_db=15.0,-15.0: the first must not be above the second"),
        ("data.sources=1,2", "data.sources=1,2: at least 2"),
        ("data.remove_probability=1.5", "data.remove_probability=1.5: at most 1"),
        ("data.level_db=1e999,2", "data.level_db=inf is not finite"),
        ("optim.model.lr=-1", "optim.model.lr=-1.0: at least 0"),
        ("optim.model.lr=1e999", "optim.model.lr=inf is not finite"),
        ("mesh.fsdp=-2", "mesh.fsdp=-2: at least -1"),
        ("stage.model.rates=1e999", "stage.model.rates=inf is not finite"),
        ("stage.model.weights.mel=-1e999", "stage.model.weights.mel=-inf is not finite"),
    ],
)
def test_numbers_out_of_their_range_are_named(text, words):
    check_values(experiment())
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        check_values(override(experiment(), [text]))
