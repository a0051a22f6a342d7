"""Pipelines of stage bundles: what fits together is written and read, the rest is refused in one line."""

import dataclasses
import json

import numpy as np
import pytest

from hsmtss_jax.bundles.bundle import Bundle, load_bundle, save_bundle
from hsmtss_jax.bundles.pipeline import (
    CAPTIONING,
    ROLES,
    Calibration,
    PipelineConfig,
    assemble,
    load_pipeline,
    pipeline_roles,
)
from hsmtss_jax.sampling.policies import Policy

UPSTREAM = {
    "q_audio": ("audio_mae", "text_encoder"),
    "joint_separator": ("audio_mae", "text_encoder", "q_audio"),
    "single_stage": ("audio_mae", "text_encoder"),
    "mask_separator": ("text_encoder",),
    "acoustic_decoder": ("audio_mae", "tf_codec"),
    "captioner": ("audio_mae", "q_audio", "gpt2"),
}


def toy(role: str) -> Bundle:
    """A bundle of that stage with two weights, trained against the others."""
    weights = np.arange(2, dtype=np.float32) + len(role)
    upstream = {name: f"digest-of-{name}" for name in UPSTREAM.get(role, ())}
    return Bundle(
        stage=role,
        config={"name": role},
        params={"w": weights},
        digest=f"digest-of-{role}",
        upstream=upstream,
    )


@pytest.fixture
def stages(tmp_path):
    """Role -> folder of a toy bundle, for every role there is."""
    folders = {}
    for role in (*ROLES, "single_stage", "mask_separator", *CAPTIONING):
        folders[role] = str(tmp_path / "stages" / role)
    saved: dict[str, Bundle] = {}
    for role in ("text_encoder", "audio_mae", "tf_codec", "gpt2", "q_audio", *folders):
        if role not in saved:
            upstream = {name: saved[name].digest for name in UPSTREAM.get(role, ())}
            bundle = dataclasses.replace(toy(role), digest="", upstream=upstream)
            saved[role] = save_bundle(folders[role], bundle)
    return folders


@pytest.fixture
def pipeline(stages, tmp_path):
    """The folder of a pipeline."""
    config = PipelineConfig(
        bundles=stages,
        sampling=Policy(temperature=0.7, top_k=5),
        presence=Calibration(slope=2.0, bias=-1.0),
        licence="CC0",
    )
    return assemble(config, tmp_path / "pipeline")


def refuses(words, folder, roles=None):
    with pytest.raises((ValueError, OSError), match=words) as error:
        load_pipeline(folder, roles)
    assert "\n" not in str(error.value)


def edit(folder, **changes):
    path = folder / "pipeline.json"
    document = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({k: v for k, v in document.items() if v != "gone"}))


def test_what_was_written_is_read(pipeline, stages):
    loaded = load_pipeline(pipeline)
    assert set(loaded.bundles) == set(ROLES) == set(pipeline_roles(pipeline))
    assert (loaded.sampling, loaded.path) == (Policy(temperature=0.7, top_k=5), pipeline)
    assert loaded.presence == Calibration(2.0, -1.0) and loaded.meta["licence"] == "CC0"
    for role, bundle in loaded.bundles.items():
        assert bundle.digest == load_bundle(stages[role]).digest
    assert set(load_pipeline(pipeline, ["q_audio"]).bundles) == {"q_audio"}


def test_the_ablation_s_separator_takes_the_other_s_place(stages, tmp_path):
    config = PipelineConfig(bundles=stages, separator="single_stage")
    folder = assemble(config, tmp_path / "single")
    roles = set(load_pipeline(folder).bundles)
    assert roles == set(ROLES) - {"joint_separator"} | {"single_stage"}
    with pytest.raises(ValueError, match="separator='mask': choose one of joint_separator"):
        assemble(PipelineConfig(bundles=stages, separator="mask"), tmp_path / "mask")


def test_a_pipeline_says_which_system_it_is(pipeline, stages, tmp_path):
    config = PipelineConfig(bundles=stages, separator="mask_separator")
    loaded = load_pipeline(assemble(config, tmp_path / "mask"))
    assert set(loaded.bundles) == {"text_encoder", "mask_separator"}
    assert loaded.architecture == loaded.meta["architecture"] == "mask_separator"
    edit(pipeline, architecture="gone")  # as written before there was another
    assert load_pipeline(pipeline).architecture == "hsm_tss"


def test_a_folder_of_something_else_is_not_replaced(stages, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letters.txt").touch()
    with pytest.raises(ValueError, match="choose another folder"):
        assemble(PipelineConfig(bundles=stages), tmp_path / "home")


def test_captioning_is_read_where_it_is_asked_for(pipeline, stages, tmp_path):
    refuses("holds no gpt2: export it with captioner=true", pipeline, ["gpt2"])
    folder = assemble(PipelineConfig(bundles=stages, captioner=True), tmp_path / "captions")
    assert set(load_pipeline(folder).bundles) == set(ROLES), "separating needs none of it"
    assert set(load_pipeline(folder, CAPTIONING).bundles) == set(CAPTIONING)


def test_a_missing_role_is_named(stages, tmp_path):
    del stages["tf_codec"], stages["q_audio"]
    with pytest.raises(ValueError, match="lacks bundles for: q_audio, tf_codec"):
        assemble(PipelineConfig(bundles=stages), tmp_path / "pipeline")
    assert not (tmp_path / "pipeline").exists()


def test_bundles_that_were_not_trained_together_are_refused(stages, pipeline, tmp_path):
    other = dataclasses.replace(toy("audio_mae"), params={"w": np.ones(3)}, digest="")
    save_bundle(stages["audio_mae"], other)
    with pytest.raises(ValueError, match="was trained against audio_mae"):
        assemble(PipelineConfig(bundles=stages), tmp_path / "new")
    assert not (tmp_path / "new").exists()
    save_bundle(pipeline / "audio_mae", other)
    refuses("was trained against audio_mae .* use the bundle that it was trained with", pipeline)


def test_a_bundle_in_another_s_place_is_refused(pipeline, stages):
    save_bundle(pipeline / "text_encoder", load_bundle(stages["gpt2"]))
    refuses("is a bundle of gpt2, not of text_encoder", pipeline)


def test_what_is_no_pipeline_says_what_it_is(pipeline, tmp_path):
    refuses("no checkpoint at .*absent: give the folder of a pipeline bundle", tmp_path / "absent")
    refuses("but the bundle of a stage: it has no pipeline.json", pipeline / "q_audio")
    (tmp_path / "empty").mkdir()
    refuses("is not a pipeline bundle: it has no pipeline.json", tmp_path / "empty")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"format_version": 1}', "[" * 100_000, '{"roles": 3}']
)
def test_a_damaged_document_is_one_line(pipeline, text):
    (pipeline / "pipeline.json").write_text(text)
    refuses(r"pipeline\.json is damaged \(.*\): copy it again", pipeline)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format_version": 99}, "has pipeline format 99, this version reads 1"),
        ({"roles": list(ROLES[1:])}, "are not those of a pipeline"),
        ({"roles": [*ROLES, "vocoder"]}, "are not those of a pipeline"),
        ({"sampling": {"temperature": "hot"}}, "is damaged"),
        ({"sampling": {"warmth": 1.0}}, "is damaged"),
        ({"presence": {"slope": 1.0}}, "is damaged"),
        ({"sampling": "gone"}, "is damaged"),
    ],
)
def test_a_document_that_does_not_fit_is_refused(pipeline, changes, says):
    edit(pipeline, **changes)
    refuses(says, pipeline)


def test_presence_need_not_have_been_measured(pipeline):
    edit(pipeline, presence="gone")
    assert load_pipeline(pipeline).presence is None


def test_a_pipeline_is_replaced_as_a_whole(pipeline, stages):
    (pipeline / "old.txt").touch()
    assemble(PipelineConfig(bundles=stages, storage={"*": "float32"}), pipeline)
    assert not (pipeline / "old.txt").exists() and load_pipeline(pipeline).presence is None
    assert not list(pipeline.parent.glob(".*"))


def test_texts_and_the_gpt2_of_a_fine_tuned_captioner(stages, tmp_path):
    """Of a GPT-2 that the captioner has fine-tuned only sizes and tokenizer are kept."""
    captioner = load_bundle(stages["captioner"])
    tuned = dataclasses.replace(captioner, params={"gpt2": captioner.params}, digest="")
    save_bundle(stages["captioner"], tuned)
    (tmp_path / "LICENCE").write_text("free")
    config = PipelineConfig(
        bundles=stages, captioner=True, notices={"LICENCE.md": str(tmp_path / "LICENCE")}
    )
    folder = assemble(config, tmp_path / "captions")
    loaded = load_pipeline(folder, CAPTIONING)
    assert loaded.bundles["gpt2"].params == {} and (folder / "LICENCE.md").read_text() == "free"
    assert loaded.bundles["gpt2"].digest == load_bundle(stages["gpt2"]).digest
