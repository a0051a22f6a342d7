"""Where weights are looked for: here, then on the hub, whose own client is replaced."""

import pytest

from hsmtss_jax.bundles.importers.source import locate


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A model of the hub with the given files; what was asked for is recorded."""

    def make(*files):
        asked = []
        for name in files:
            (tmp_path / name).touch()

        def snapshot(model, *, allow_patterns):
            asked.append(allow_patterns)
            return str(tmp_path)

        monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
        return asked

    return make


def test_safetensors_come_first(hub, tmp_path):
    asked = hub("model.safetensors", "config.json")
    assert locate("owner/name", ("config.json",)) == tmp_path
    assert asked == [["config.json", "model*.safetensors"]]


def test_pytorch_files_only_where_there_are_no_safetensors(hub, tmp_path):
    asked = hub("pytorch_model.bin")
    assert locate("owner/name") == tmp_path
    assert asked == [["model*.safetensors"], ["pytorch_model*.bin"]]


def test_a_model_without_weights_is_refused(hub):
    hub("README.md")
    with pytest.raises(FileNotFoundError, match=r"owner/name has neither model\*\.safetensors nor"):
        locate("owner/name")


def test_sources(tmp_path):
    assert locate(str(tmp_path)) == tmp_path
    with pytest.raises(FileNotFoundError, match="no file or folder /absent/model"):
        locate("/absent/model")
    with pytest.raises(OSError, match=r"download config\.json, model\.safetensors of it by hand"):
        locate("nobody/no-such-model", ("config.json",))  # tests run with the hub switched off
