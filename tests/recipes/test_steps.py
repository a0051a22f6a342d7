"""Steps of a recipe: their commands parse, find their upstream, and are chosen by name."""

import dataclasses
import json

import pytest

from hsmtss_jax.cli.main import build_parser
from hsmtss_jax.config import SIZES, load_config
from hsmtss_jax.recipes.recipe import FeatureStep, RecipeConfig
from hsmtss_jax.recipes.steps import Materials, check_upstream, chosen, steps_of
from tests.recipes.conftest import leave


@pytest.mark.parametrize("size", SIZES)
def test_the_steps_of_every_size_parse_and_come_behind_what_they_need(size, tmp_path):
    recipe = load_config("recipe", size, RecipeConfig)
    (tmp_path / "data").mkdir()
    (tmp_path / "bundle.json").write_text("{}")
    given = Materials(
        size=size,
        workdir=tmp_path / "run",
        data=str(tmp_path / "data"),
        text_encoder=tmp_path,
    )
    seen = set()
    for step in steps_of(recipe, given):
        assert set(step.needs) <= seen, step.name
        seen.add(step.name)
        module, *words = step.words[1:]
        assert module == "hsmtss_jax"
        build_parser().parse_args(words)
        assert step.output.is_relative_to(given.workdir)
        if step.experiment:
            assert step.experiment.run == load_config(step.name, size).run
            assert all(
                path == tmp_path or path.is_relative_to(given.workdir)
                for path in step.upstream.values()
            )
    assert {"mask_decoder", "acoustic_decoder", "pipeline", "scores"} <= seen
    assert ("features" in seen) == (size in ("demo", "base"))


def test_the_second_phase_s_codec_is_the_codec(tmp_path):
    recipe = load_config("recipe", "tiny", RecipeConfig)
    steps = {step.name: step for step in steps_of(recipe, Materials(size="tiny", workdir=tmp_path))}
    codec = tmp_path / "tf_codec_adversarial" / "bundle"
    assert steps["acoustic_decoder"].upstream["tf_codec"] == codec
    assert f"bundles.tf_codec={codec}" in steps["pipeline"].words
    assert steps["tf_codec_adversarial"].upstream == {
        "initial_codec": tmp_path / "tf_codec" / "bundle"
    }


def test_features_are_read_where_the_config_asks_for_them(tmp_path):
    (tmp_path / "data").mkdir()
    recipe = load_config("recipe", "demo", RecipeConfig)
    given = Materials(size="demo", workdir=tmp_path, data=str(tmp_path / "data"))
    steps = {step.name: step for step in steps_of(recipe, given)}
    assert steps["local_separator"].experiment.data.root == str(tmp_path / "features")
    assert "features" in steps["local_separator"].needs
    assert steps["mask_decoder"].experiment.data.root == str(tmp_path / "data")
    assert steps["mask_decoder"].experiment.data.text_cache == str(tmp_path / "text_features")
    assert f"--data={tmp_path / 'data'}" in steps["features"].words


def test_overrides_are_of_all_trainings_or_of_one(recipe, given):
    given = dataclasses.replace(given, overrides=("run.seed=3", "q_audio.run.steps=7"))
    steps = {step.name: step for step in steps_of(recipe, given)}
    assert [steps[name].experiment.run.seed for name in ("audio_mae", "q_audio")] == [3, 3]
    assert steps["q_audio"].experiment.run.steps == 7
    assert steps["audio_mae"].experiment.run.steps == 20
    with pytest.raises(ValueError, match="did you mean 'steps'"):
        steps_of(recipe, dataclasses.replace(given, overrides=("q_audio.run.stepz=7",)))


def test_what_is_missing_is_told_before_anything_runs(recipe, given, tmp_path):
    with pytest.raises(FileNotFoundError, match="no data set at nowhere: prepare it"):
        steps_of(recipe, dataclasses.replace(given, data="nowhere"))
    with pytest.raises(FileNotFoundError, match="no bundle at"):
        steps_of(recipe, dataclasses.replace(given, text_encoder=tmp_path / "x"))
    with pytest.raises(ValueError, match="this recipe takes a text encoder"):
        steps_of(dataclasses.replace(recipe, text_encoder=""), given)


def test_steps_are_chosen_by_name(steps):
    with pytest.raises(ValueError, match="no step 'codec' in this recipe: choose of corpus,"):
        chosen(steps, only=("codec",))
    with pytest.raises(ValueError, match="tf_codec needs corpus, which is not done"):
        chosen(steps, only=("tf_codec",))
    leave(steps[0])
    assert [step.name for step in chosen(steps, only=("tf_codec",))] == ["tf_codec"]
    both = chosen(steps, start="audio_mae", only=("corpus", "tf_codec"))
    assert [step.name for step in both] == ["tf_codec"]
    with pytest.raises(ValueError, match="q_audio needs"):
        chosen(steps, start="q_audio")


def test_a_bundle_of_another_upstream_is_told(steps):
    by_name = {step.name: step for step in steps}
    for name in ("text_encoder", "audio_mae", "q_audio"):
        leave(by_name[name])
        check_upstream(by_name[name])
    header = by_name["audio_mae"].output / "bundle.json"
    header.write_text(json.dumps({"digest": "another", "upstream": {}}))
    with pytest.raises(ValueError, match=r"q_audio was trained on another audio_mae .* delete it"):
        check_upstream(by_name["q_audio"])


def test_without_features_none_are_computed(recipe, given):
    assert "features" not in [step.name for step in steps_of(recipe, given)]
    recipe = dataclasses.replace(recipe, features=FeatureStep(train=5, root="elsewhere"))
    assert "features" in [step.name for step in steps_of(recipe, given)]
