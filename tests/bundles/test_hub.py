"""Where bundles are found: the demo, a folder, a model of the hub; the hub's own client is replaced."""

import pytest

from hsmtss_jax.bundles.bundle import is_bundle
from hsmtss_jax.bundles.hub import demo_bundle, download, is_hub_id, locate
from hsmtss_jax.bundles.pipeline import ROLES, load_pipeline


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """The calls of the hub's client, which finds ``tmp_path``."""
    calls = []

    def snapshot(model, *, allow_patterns):
        calls.append((model, allow_patterns))
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    return calls


def test_the_demo_is_a_pipeline_in_the_package():
    assert locate(None) == demo_bundle()
    assert all(is_bundle(demo_bundle() / role) for role in ROLES)
    assert set(load_pipeline(demo_bundle(), ["q_audio"]).bundles) == {"q_audio"}


def test_a_folder_is_itself(tmp_path, asked, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert locate(tmp_path) == locate(str(tmp_path)) == locate("~") == tmp_path
    (tmp_path / "owner" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    locate("owner/name")  # looks like a hub id, but is there
    assert asked == []


def test_a_hub_id_is_downloaded(tmp_path, asked):
    assert locate("owner/some-model.v2") == tmp_path
    ((model, patterns),) = asked
    assert model == "owner/some-model.v2"
    assert "*/*.safetensors" in patterns and not any("bin" in pattern for pattern in patterns)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("owner/name", True),
        ("a-b.c/d_e", True),
        ("name", False),
        ("a/b/c", False),
        ("./a/b", False),
        ("/a", False),
        ("owner/", False),
        ("", False),
    ],
)
def test_hub_ids(source, expected):
    assert is_hub_id(source) is expected


def test_a_path_that_is_no_hub_id_is_not_asked_for(tmp_path, asked):
    absent = tmp_path / "absent" / "bundle"
    assert locate(absent) == absent and asked == []


def test_a_hub_out_of_reach_is_one_line():
    with pytest.raises(OSError, match=r"could not be downloaded .* tokenizer\.json") as error:
        download("nobody/no-such-model", ["*.json"], ["tokenizer.json"])  # tests are offline
    assert "\n" not in str(error.value)
