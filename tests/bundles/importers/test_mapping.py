"""Names of a public file to our tree: what goes where, and what is said of what does not fit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.bundles.importers.mapping import (
    FLAX,
    TORCH,
    LayerNames,
    Origin,
    fit,
    require,
    shapes_of,
    sizes,
    third_of_columns,
    third_of_rows,
    transformer_origins,
    transpose,
)

ORIGINS = {
    "dense/kernel": Origin(("fc.weight",), transpose),
    "blocks/scale": Origin(("0.norm", "1.norm"), stacked=True),
}
SHAPES = {"dense/kernel": (3, 2), "blocks/scale": (2, 4)}
STATE = {
    "fc.weight": np.arange(6.0).reshape(2, 3),
    "0.norm": np.zeros(4, np.float16),
    "1.norm": np.ones(4, np.float16),
}
NAMES = LayerNames("n1.{i}", "qkv.{i}", "out.{i}", "n2.{i}", "up.{i}", "down.{i}", "norm")


def fitted(state, **options):
    return fit("a toy", state, ORIGINS, SHAPES, **{"ignored": r"decoder\.", **options})


def test_tensors_are_turned_stacked_and_made_float32():
    params = fitted(STATE | {"decoder.x": np.zeros(1)})
    np.testing.assert_array_equal(params["dense"]["kernel"], STATE["fc.weight"].T)
    np.testing.assert_array_equal(params["blocks"]["scale"], np.repeat([[0.0], [1.0]], 4, axis=1))
    assert all(leaf.dtype == np.float32 for leaf in jax.tree.leaves(params))


def test_names_of_the_file_may_be_rewritten():
    state = {f"model.{name}": value for name, value in STATE.items()}
    found = fitted(state, rename=lambda name: name.removeprefix("model."))
    np.testing.assert_array_equal(found["dense"]["kernel"], STATE["fc.weight"].T)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"1.norm": None}, r"missing 1\.norm: it does not hold all of a toy"),
        ({"more": np.zeros(1)}, "unexpected more: its network is not a toy"),
        ({f"x{i}": np.zeros(1) for i in range(6)}, "unexpected x0, x1, x2, x3 and 2 more"),
        ({"fc.weight": np.zeros((2, 2))}, r"fc\.weight has shape \(2, 2\) and cannot become"),
        ({"0.norm": np.zeros(4, np.int8)}, r"0\.norm holds int8 values: quantised weights"),
        ({"0.norm": np.full(4, np.inf)}, r"0\.norm holds NaN or infinite values"),
    ],
)
def test_what_does_not_fit_is_named(change, says):
    state = {name: value for name, value in (STATE | change).items() if value is not None}
    with pytest.raises(ValueError, match=says) as error:
        fitted(state)
    assert "\n" not in str(error.value)


def test_queries_keys_and_values_lie_side_by_side():
    fused = np.arange(24.0).reshape(2, 12)  # [in, 3 D]
    for third in range(3):
        part = fused[:, 4 * third : 4 * third + 4]
        np.testing.assert_array_equal(third_of_columns(third)(fused), part)
        np.testing.assert_array_equal(third_of_rows(third)(fused.T), part)


@pytest.mark.parametrize(("style", "leaf"), [(TORCH, ".weight"), (FLAX, "/kernel")])
def test_a_transformer_s_layers_are_stacked(style, leaf):
    origins = transformer_origins(NAMES, 2, style, "encoder")
    query = origins["encoder/blocks/attention/query/kernel"]
    assert query.stacked and query.keys == (f"qkv.0{leaf}", f"qkv.1{leaf}")
    kernel = np.arange(12.0).reshape((6, 2) if style.transposed else (2, 6))
    ours = kernel[:2].T if style.transposed else kernel[:, :2]
    np.testing.assert_array_equal(query.convert(kernel), ours)
    assert not origins["encoder/norm/scale"].stacked and len(origins) == 18


def test_shapes_cost_nothing():
    def init(key, x):
        return {"params": {"dense": {"kernel": jax.random.normal(key, (x.shape[-1], 10**9))}}}

    spec = jax.ShapeDtypeStruct((1, 10**6), jnp.float32)
    assert shapes_of(init, spec) == {"dense/kernel": (10**6, 10**9)}


def test_sizes_of_a_config_file():
    config = {"n_embd": 16, "n_layer": 0, "n_head": "2", "tied": True}
    assert sizes(config, width="n_embd") == {"width": 16}
    for name in ("n_layer", "n_head", "tied"):
        with pytest.raises(ValueError, match=f"config\\.json has {name}=.*not a positive number"):
            sizes(config, x=name)
    with pytest.raises(ValueError, match=r"config\.json lacks 'n_inner'"):
        sizes(config, x="n_inner")


def test_settings_that_must_be_as_they_are():
    require({"act": "gelu"}, act="gelu", bias=True)
    with pytest.raises(ValueError, match=r"act=.relu. in config\.json is not supported"):
        require({"act": "relu"}, act="gelu")
