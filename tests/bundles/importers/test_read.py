"""Weight files: safetensors, shards, PyTorch files, and what is refused."""

import argparse
import sys

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from hsmtss_jax.bundles.importers.read import read_state, weight_files

A_BYTES = bytes(range(256)) * 20
A = {"a": np.arange(6, dtype=np.float32).reshape(2, 3)}
B = {"b": np.ones(2, ml_dtypes.bfloat16)}


def test_shards_are_one_state(tmp_path):
    save_file(A, tmp_path / "model-00001-of-00002.safetensors")
    with pytest.raises(FileNotFoundError, match="1 of 00002 weight shards"):
        read_state(tmp_path)
    save_file(B, tmp_path / "model-00002-of-00002.safetensors")
    state = read_state(tmp_path)
    assert set(state) == {"a", "b"} and len(state) == 2
    np.testing.assert_array_equal(state["a"], A["a"])
    np.testing.assert_array_equal(state["b"].astype(np.float32), [1, 1])


def test_a_tensor_in_two_shards(tmp_path):
    for i in (1, 2):
        save_file(A, tmp_path / f"model-0000{i}-of-00002.safetensors")
    with pytest.raises(ValueError, match="both hold a"):
        read_state(tmp_path)


def test_choice_of_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no \.safetensors"):
        weight_files(tmp_path)
    (tmp_path / "pytorch_model.bin").touch()
    (tmp_path / "training_args.bin").touch()
    assert [file.name for file in weight_files(tmp_path)] == ["pytorch_model.bin"]
    (tmp_path / "one.safetensors").touch()
    (tmp_path / "two.safetensors").touch()
    with pytest.raises(ValueError, match="several weight files"):
        weight_files(tmp_path)
    (tmp_path / "model.safetensors").touch()
    assert [file.name for file in weight_files(tmp_path)] == ["model.safetensors"]


def test_damaged_and_foreign_files(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file(A, path)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match="truncated or not a safetensors file"):
        read_state(path)
    path.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ValueError, match="truncated or not a safetensors file"):
        read_state(path)
    with pytest.raises(ValueError, match="is no weight file"):
        read_state(tmp_path / "weights.h5")


def test_a_type_that_numpy_lacks(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file({"a": np.ones(2, ml_dtypes.float8_e4m3fn)}, path)
    with pytest.raises(ValueError, match="a holds F8_E4M3 values: quantised weights"):
        read_state(path)["a"]


def test_a_pytorch_file_without_pytorch(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "pretrained.pth").touch()
    with pytest.raises(ValueError, match=r"pip install 'hsmtss-jax\[torch\]'"):
        read_state(tmp_path / "pretrained.pth")


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
def test_pytorch_files(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "pretrained.pth"
    tensors = {"a": torch.ones(2, dtype=torch.bfloat16), "n": torch.tensor(3)}
    torch.save({"model": tensors, "epoch": 3}, path)
    state = read_state(path)
    assert set(state) == {"a", "n"} and state["a"].dtype == np.float32 and state["n"] == 3
    whole = path.read_bytes()
    for damaged in (
        whole[:-100],
        whole[: len(whole) // 2],
        b"",
        b"<html>",
        b"\x80\x02K\x01.",
        A_BYTES,
    ):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"damaged, or holds more|no state dict"):
            read_state(path)
    torch.save({"model": tensors, "args": argparse.Namespace(lr=1e-3)}, path)
    assert set(read_state(path)) == {"a", "n"}
    torch.save({"model": tensors, "made_by": Unsafe()}, path)
    with pytest.raises(ValueError, match="is not unpickled"):
        read_state(path)
    torch.save([1, 2], path)
    with pytest.raises(ValueError, match="holds no state dict"):
        read_state(path)


class Unsafe:
    """Something that only unpickling could restore."""

    def __reduce__(self):
        return (print, ("unpickled",))
