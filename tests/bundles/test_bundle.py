"""Bundles: round trips in every storage type, identity, and one-line errors for damaged ones."""

import json
import os

import numpy as np
import pytest
import safetensors.numpy

from hsmtss_jax.bundles import bundle as B
from hsmtss_jax.bundles.bundle import Bundle, load_bundle, load_bundles, save_bundle


def make(seed: int = 0, **changes) -> Bundle:
    rng = np.random.default_rng(seed)
    params = {
        "layers": {"kernel": rng.normal(size=(3, 64, 32)).astype(np.float32)},
        "dense": {
            "kernel": rng.normal(size=(64, 96)).astype(np.float32)
            * np.logspace(-3, 3, 96, dtype=np.float32),
            "bias": rng.normal(size=96).astype(np.float32),
        },
        "embedding": {"embedding": rng.normal(size=(200, 32)).astype(np.float32)},
        "steps": np.asarray(7, np.int32),
    }
    defaults = {
        "stage": "toy",
        "config": {"name": "toy", "sizes": (1, 2)},
        "params": params,
        "upstream": {"audio_mae": "abc"},
        "files": {"tokenizer.json": b"{}"},
        "meta": {"licence": "CC0"},
    }
    return Bundle(**{**defaults, **changes})


@pytest.mark.parametrize(
    ("storage", "relative"), [("float32", 0), ("bfloat16", 2**-8), ("float16", 2**-10)]
)
def test_round_trip(tmp_path, storage, relative):
    saved = save_bundle(tmp_path / "b", make(), storage)
    loaded = load_bundle(tmp_path / "b")
    before, after = B.flatten(make().params), B.flatten(loaded.params)
    assert before.keys() == after.keys()
    for name, value in before.items():
        np.testing.assert_allclose(after[name], value, rtol=relative, atol=1e-6)
        assert after[name].dtype in (np.float32, np.int32)
    assert loaded.digest == saved.digest and loaded.path == tmp_path / "b"
    assert loaded.files == {"tokenizer.json": b"{}"} and loaded.upstream == {"audio_mae": "abc"}
    assert loaded.config == {"name": "toy", "sizes": [1, 2]} and loaded.meta["licence"] == "CC0"


def test_int8_scales_per_channel_row_and_layer(tmp_path):
    save_bundle(tmp_path / "b", make(), "int8")
    stored = safetensors.numpy.load_file(tmp_path / "b" / "model.safetensors")
    assert stored["dense/kernel"].dtype == np.int8
    assert stored["dense/kernel::scale"].shape == (1, 96)
    assert stored["embedding/embedding::scale"].shape == (200, 1)
    assert stored["layers/kernel::scale"].shape == (3, 1, 32)
    assert stored["dense/bias"].dtype == np.float32
    before, after = (
        make().params["dense"]["kernel"],
        load_bundle(tmp_path / "b").params["dense"]["kernel"],
    )
    peak = np.abs(before).max(axis=0, keepdims=True)
    assert np.all(np.abs(after - before) <= peak / 127 * 0.5001)


def test_int8_refuses_nan(tmp_path):
    params = {"kernel": np.full((64, 64), np.nan, np.float32)}
    with pytest.raises(ValueError, match="kernel holds NaN"):
        save_bundle(tmp_path / "b", make(params=params), "int8")
    assert not list(tmp_path.iterdir())


def test_digest_survives_storage_but_not_new_weights(tmp_path):
    digests = {save_bundle(tmp_path / s, make(), s).digest for s in B.STORAGES}
    again = save_bundle(tmp_path / "again", load_bundle(tmp_path / "float32"), "int8").digest
    assert digests == {again}
    assert save_bundle(tmp_path / "other", make(seed=1)).digest not in digests
    assert save_bundle(tmp_path / "third", make(config={"name": "x"})).digest not in digests


def test_replaces_and_leaves_no_litter(tmp_path):
    save_bundle(tmp_path / "b", make())
    save_bundle(tmp_path / "b", make(seed=1))
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_failed_replacement_keeps_the_former(tmp_path, monkeypatch):
    digest = save_bundle(tmp_path / "b", make()).digest

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("safetensors.numpy.save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        save_bundle(tmp_path / "b", make(seed=1))
    assert load_bundle(tmp_path / "b").digest == digest
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


@pytest.mark.parametrize("fails", [1, 2])
def test_death_between_renames_keeps_a_bundle(tmp_path, monkeypatch, fails):
    """Die at the first or second rename: the former bundle is still read from the same path."""
    digest = save_bundle(tmp_path / "b", make()).digest
    rename, calls = os.rename, []

    def dying(source, target):
        calls.append(source)
        if len(calls) >= fails:
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr("os.rename", dying)
    with pytest.raises(KeyboardInterrupt):
        save_bundle(tmp_path / "b", make(seed=1))
    monkeypatch.undo()
    assert load_bundle(tmp_path / "b").digest == digest
    save_bundle(tmp_path / "b", make(seed=2))
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def refuses(folder, words):
    with pytest.raises((ValueError, OSError), match=words) as error:
        load_bundle(folder)
    assert "\n" not in str(error.value)


def edit(folder, **changes):
    header = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps({**header, **changes}))


def test_errors(tmp_path):
    refuses(tmp_path / "absent", "no bundle at")
    refuses(tmp_path, "is not a bundle")
    (tmp_path / "bundle.json").write_text("{")
    refuses(tmp_path, "is not a bundle")
    (tmp_path / "bundle.json").write_text("{}")
    refuses(tmp_path, "is not a bundle")


def test_damaged_weights(tmp_path):
    folder = tmp_path / "b"
    save_bundle(folder, make())
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-8])
    refuses(folder, "truncated or damaged")
    path.write_bytes(whole[:20])
    refuses(folder, "truncated or damaged")
    path.write_bytes(whole[:-8] + bytes(8))
    refuses(folder, "digest does not match")
    path.unlink()
    refuses(folder, "lacks its file 'model.safetensors'")


def test_damaged_header(tmp_path):
    folder = tmp_path / "b"
    save_bundle(folder, make())
    edit(folder, config={"name": "another"})
    refuses(folder, "digest does not match")
    edit(folder, tensors=["dense/kernel"])
    refuses(folder, "differ on tensor 'dense/bias'")
    edit(folder, files=["../outside"])
    refuses(folder, "lacks its file '../outside'")
    edit(folder, format_version=99)
    refuses(folder, "bundle format 99")


@pytest.mark.parametrize("name", ["a/b", "", "a::scale"])
def test_names_that_cannot_be_stored(tmp_path, name):
    with pytest.raises(ValueError, match="cannot be stored"):
        save_bundle(tmp_path / "b", make(params={name: np.zeros(2, np.float32)}))


def test_refuses_a_folder_with_other_things(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(ValueError, match="not a bundle"):
        save_bundle(tmp_path, make())
    with pytest.raises(ValueError, match="unknown storage"):
        save_bundle(tmp_path / "b", make(), "int4")
    with pytest.raises(ValueError, match="plain name"):
        save_bundle(tmp_path / "b", make(files={"../x": b""}))


def test_upstream_bundles_must_belong_together(tmp_path):
    mae = save_bundle(tmp_path / "mae", make(stage="audio_mae", upstream={}))
    save_bundle(tmp_path / "other_mae", make(seed=1, stage="audio_mae", upstream={}))
    save_bundle(tmp_path / "q", make(stage="q_audio", upstream={"audio_mae": mae.digest}))
    paths = {"audio_mae": tmp_path / "mae", "q_audio": tmp_path / "q"}
    assert set(load_bundles(paths)) == {"audio_mae", "q_audio"}
    with pytest.raises(ValueError, match=r"q_audio at .* was trained against audio_mae"):
        load_bundles({**paths, "audio_mae": tmp_path / "other_mae"})
    with pytest.raises(FileNotFoundError, match="no bundle at"):
        load_bundles({"audio_mae": tmp_path / "absent"})
