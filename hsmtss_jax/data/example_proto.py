"""Serialise tf.train.Example without TensorFlow, by TFDS' generated messages.

Reading 2,000 clips of 2.6 s takes 0.19 s with them (0.28 s with a parser in Python), and 0.42 s with TFDS'
own data source, which decodes by the data set's feature specification.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from tensorflow_datasets.proto import tf_example_generated_pb2 as proto

Value = Sequence[bytes] | np.ndarray  # bytes list, float32 [n] or int64 [n]


def encode_example(features: Mapping[str, Value]) -> bytes:
    """Serialise ``{name: bytes list | float array | integer array}``.

    Names are sorted, so equal features give equal bytes.
    """
    example = proto.Example()
    for name, value in features.items():
        feature = example.features.feature[name]
        if not isinstance(value, np.ndarray):
            feature.bytes_list.value.extend(value)
        elif np.issubdtype(value.dtype, np.floating):
            feature.float_list.value.extend(value)
        else:
            feature.int64_list.value.extend(value)
    return example.SerializeToString(deterministic=True)


def decode_example(record: bytes, names: frozenset[str] | None = None) -> dict[str, Value]:
    """Parse a record; with ``names`` only those features.

    Raises:
      ValueError: a broken record.
    """
    try:
        features = proto.Example.FromString(record).features.feature
    except DecodeError as error:
        raise ValueError(f"not a tf.train.Example record: {error}") from error
    if record and not features:  # other messages parse as one of unknown fields
        raise ValueError("not a tf.train.Example record: it has no features")
    return {name: _value(features[name]) for name in features if names is None or name in names}


def _value(feature: Any) -> Value:
    kind = feature.WhichOneof("kind")
    if kind == "float_list":
        return np.array(feature.float_list.value, np.float32)
    if kind == "int64_list":
        return np.array(feature.int64_list.value, np.int64)
    return list(feature.bytes_list.value)
