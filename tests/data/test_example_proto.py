"""tf.train.Example on the wire, without TensorFlow."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsmtss_jax.data.example_proto import decode_example, encode_example


def test_example_round_trip():
    features = {
        "bytes": [b"", b"abc", b"x" * 300],
        "ints": np.array([0, 1, -1, 127, 128, 2**40, -(2**40)]),
        "floats": np.array([0.5, -1.25], np.float32),
        "none": [],
    }
    out = decode_example(encode_example(features))
    assert out["bytes"] == features["bytes"]
    np.testing.assert_array_equal(out["ints"], features["ints"])
    np.testing.assert_array_equal(out["floats"], features["floats"])
    assert list(out["none"]) == []
    assert set(decode_example(encode_example(features), frozenset({"ints"}))) == {"ints"}


def test_broken_record_is_an_error():
    with pytest.raises(ValueError, match=r"not a tf\.train\.Example"):
        decode_example(b"\x0d1234")


@pytest.mark.filterwarnings("ignore")  # of TFDS and its dependencies
def test_protobuf_parses_our_records():
    proto = pytest.importorskip("tensorflow_datasets.proto.tf_example_generated_pb2")
    record = encode_example({"a": np.array([3, -4]), "b": [b"hi"], "c": np.array([1.5])})
    feature = proto.Example.FromString(record).features.feature
    assert list(feature["a"].int64_list.value) == [3, -4]
    assert list(feature["b"].bytes_list.value) == [b"hi"]
    assert list(feature["c"].float_list.value) == [1.5]
    theirs = proto.Example.FromString(record).SerializeToString()
    assert decode_example(theirs)["b"] == [b"hi"]


def test_equal_features_are_equal_bytes():
    one = {"a": np.array([1]), "b": [b"x"]}
    assert encode_example(one) == encode_example(dict(reversed(one.items())))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=4), st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1)))
def test_any_integers_come_back(features):
    record = encode_example({name: np.array(x, np.int64) for name, x in features.items()})
    assert {name: x.tolist() for name, x in decode_example(record).items()} == features


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(record):
    with contextlib.suppress(ValueError):
        decode_example(record)
