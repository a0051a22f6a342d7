"""What makes no sense in a bundle is refused in a line, at writing and at reading."""

import hashlib
import json

import numpy as np
import pytest

from hsmtss_jax.bundles import sanity
from hsmtss_jax.bundles.bundle import Bundle, load_bundle, save_bundle


def make(**changes) -> Bundle:
    usual = {
        "stage": "toy",
        "config": {"name": "toy", "width": 4},
        "params": {"w": np.ones((2, 3), np.float32)},
        "files": {"words.txt": b"x"},
    }
    return Bundle(**{**usual, **changes})


def forge(folder, text=None, **changes):
    """Change a bundle's header and make its sum right again."""
    header = {**json.loads((folder / "bundle.json").read_text()), **changes}
    covered = {key: value for key, value in header.items() if key != "content"}
    total = hashlib.sha256(json.dumps(covered, sort_keys=True, separators=(",", ":")).encode())
    for name in ("model.safetensors", "words.txt"):
        total.update(hashlib.sha256((folder / name).read_bytes()).digest())
    header["content"] = total.hexdigest()
    (folder / "bundle.json").write_text(text or json.dumps(header))


@pytest.fixture
def folder(tmp_path):
    save_bundle(tmp_path / "bundle", make())
    return tmp_path / "bundle"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"params": {"w": np.array([1, np.nan], np.float32)}}, "w holds NaN or infinity"),
        ({"config": {"name": "toy", "rate": float("inf")}}, "config.rate=inf is not finite"),
        (
            {"config": {"name": "toy", "sizes": [1, 10**9]}},
            "config.sizes=1000000000 makes no sense",
        ),
        ({"meta": {"loss": float("nan")}}, "not finite"),
    ],
)
def test_nothing_senseless_is_written(tmp_path, changes, words):
    with pytest.raises(ValueError, match=words):
        save_bundle(tmp_path / "new", make(**changes))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"files": 3}, "'files' is no list"),
        ({"files": [3]}, "'files' holds something that is no name"),
        ({"tensors": 3}, "'tensors' is no list"),
        ({"upstream": [1]}, "'upstream' is no dict"),
        ({"upstream": {"audio_mae": 1}}, "'upstream' holds something that is no digest"),
        ({"config": {"name": "toy", "width": 10**9}}, "width=1000000000 makes no sense"),
        ({"config": {"name": "toy", "width": float("nan")}}, "cannot be read"),
        ({"format_version": True}, "cannot be read"),
        ({"text": "[" * 200_000}, "cannot be read"),
    ],
)
def test_nothing_senseless_is_read(folder, changes, words):
    forge(folder, **changes)
    with pytest.raises(ValueError, match=words):
        load_bundle(folder)


def test_weights_that_are_no_numbers_are_not_read(folder):
    import safetensors.numpy

    safetensors.numpy.save_file(
        {"w": np.full((2, 3), np.nan, np.float32)}, folder / "model.safetensors"
    )
    forge(folder)
    with pytest.raises(ValueError, match="w holds NaN or infinity"):
        load_bundle(folder)


def test_a_link_out_of_the_bundle_is_not_followed(folder, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"x")
    (folder / "words.txt").unlink()
    (folder / "words.txt").symlink_to(secret)
    with pytest.raises(ValueError, match=r"its file 'words\.txt' is a link"):
        load_bundle(folder)


def test_a_hubs_cache_is_made_of_links(folder, tmp_path):
    cache = tmp_path / "models--x"
    (cache / "blobs").mkdir(parents=True)
    snapshot = cache / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    for number, path in enumerate(sorted(folder.iterdir())):
        path.rename(cache / "blobs" / str(number))
        (snapshot / path.name).symlink_to(f"../../blobs/{number}")
    assert load_bundle(snapshot).files["words.txt"] == b"x"


def test_a_header_has_a_largest_size(tmp_path):
    path = tmp_path / "large.json"
    with open(path, "wb") as opened:
        opened.truncate(sanity.LARGEST_HEADER + 1)
    with pytest.raises(ValueError, match="more than"):
        sanity.read_json(path)
