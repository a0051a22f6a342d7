"""Sweeps: grids, the paper's ablations, and that a variant takes the rest from a finished recipe."""

import dataclasses

import pytest

from hsmtss_jax.cli.main import main
from hsmtss_jax.config import SIZES, load_config, own_configs
from hsmtss_jax.recipes.recipe import RecipeConfig, SweepConfig, variant
from hsmtss_jax.recipes.steps import Materials, steps_of
from hsmtss_jax.recipes.sweep import grid_variants, read_grid

SWEEPS = [name for name in own_configs() if name.startswith("sweep_")]


@pytest.fixture
def base(tmp_path):
    """The workdir of a finished recipe, as far as a sweep looks at it."""
    names = [stage.config for stage in load_config("recipe", "tiny", RecipeConfig).stages]
    for name in ("text_encoder", *names):
        (tmp_path / "base" / name / "bundle").mkdir(parents=True)
    for name in ("corpus", "features"):
        (tmp_path / "base" / name).mkdir()
    return tmp_path / "base"


def test_a_grid_is_read():
    assert read_grid(["a.b=1,2", "c=x"]) == {"a.b": ["1", "2"], "c": ["x"]}
    for text in ("a.b", "a.b=", "=1"):
        with pytest.raises(ValueError, match="is not of the form"):
            read_grid([text])
    with pytest.raises(ValueError, match="given twice"):
        read_grid(["a=1", "a=2"])


def test_a_grid_has_a_variant_for_every_combination(recipe):
    grid = {"stage.target_probability": ["0", "1"], "run.seed": ["0", "1"]}
    variants = grid_variants(recipe, "joint_separator", grid)
    assert list(variants)[:2] == ["target_probability=0,seed=0", "target_probability=0,seed=1"]
    (stage,) = variants["target_probability=1,seed=0"].stages
    assert stage.overrides == ("stage.target_probability=1", "run.seed=0")
    assert all(each.pipeline is None for each in variants.values())
    same = grid_variants(recipe, "x", {"a.x": ["1"], "b.x": ["2"]})
    assert list(same) == ["a.x=1,b.x=2"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SWEEPS)
def test_the_paper_s_ablations_fit_the_recipe(name, size, base, tmp_path):
    """Every variant's config takes its overrides, and reads what it does not train from the base."""
    sweep = load_config(name, size, SweepConfig)
    (tmp_path / "bundle.json").write_text("{}")
    for label, recipe in sweep.variants.items():
        given = Materials(
            size=size,
            workdir=tmp_path / label,
            data=str(base / "corpus"),
            text_encoder=tmp_path,
            base=base,
        )
        steps = steps_of(recipe, given)
        trained = {step.name for step in steps if step.experiment}
        for step in steps:
            for source in step.upstream.values():
                assert (
                    source.is_relative_to(base) != (source.parent.name in trained)
                    or source == tmp_path
                )
        last = [step.name for step in steps if step.experiment is None]
        assert last == (["pipeline", "scores"] if recipe.pipeline else [])


def test_all_of_them_are_there():
    asked = (
        "single_stage",
        "p_gt",
        "task",
        "text_encoder",
        "codec",
        "conditioning",
        "mask_decoder",
    )
    assert set(SWEEPS) == {f"sweep_{name}" for name in asked}


def test_a_base_that_is_not_finished_is_told(base, tmp_path):
    (base / "local_separator" / "bundle").rmdir()
    whole = load_config("recipe", "tiny", RecipeConfig)
    given = Materials(size="tiny", workdir=tmp_path / "x", base=base)
    with pytest.raises(FileNotFoundError, match=r"no bundle at .*finish hsmtss recipe --workdir"):
        steps_of(variant(whole, {"joint_separator": ()}), given)


def test_a_variant_keeps_what_it_is_not_told():
    whole = load_config("recipe", "tiny", RecipeConfig)
    changed = variant(
        whole, {"acoustic_decoder": ("run.seed=1",)}, upstream={"tf_codec": "tf_codec"}
    )
    (stage,) = changed.stages
    assert stage.upstream["tf_codec"] == "tf_codec" == changed.pipeline.upstream["tf_codec"]
    assert changed.pipeline.overrides == whole.pipeline.overrides
    assert variant(dataclasses.replace(whole, pipeline=None), {}).pipeline is None


def test_one_of_an_array_of_jobs(base, capsys, tmp_path):
    argv = ["sweep", "sweep_p_gt", "--size=tiny", f"--base={base}", "--dry-run"]
    assert main([*argv, "--index=2"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("# variant 2: p_gt=0.3\n") and out.count("# variant") == 1
    assert f"--workdir {tmp_path}/base_sweep_p_gt/p_gt=0.3/joint_separator" in out
    assert main([*argv, "--index=7"]) == 2
    assert "--index 7: there are 5 variants, from 0" in capsys.readouterr().err
    assert main([*argv, "--only=p_gt=2"]) == 2
    assert "no variant 'p_gt=2': choose of p_gt=0.0," in capsys.readouterr().err


def test_a_grid_on_the_command_line(base, capsys):
    argv = ["sweep", "joint_separator", "--size=tiny", f"--base={base}", "--dry-run"]
    assert main([*argv, "--vary=stage.target_probability=0,0.5", "run.steps=3"]) == 0
    out = capsys.readouterr().out
    assert out.count("# variant") == 2 and "stage.target_probability=0.5 run.steps=3" in out
    assert "pipeline" not in out
