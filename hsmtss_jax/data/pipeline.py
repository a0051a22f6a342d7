"""grain pipelines: batches of a data view, deterministic, sharded by rows of a batch, checkpointable.

Everything random about an example comes from (seed, index): the same whatever the number of
processes, workers or restarts (see ``batches``). "train" is endless and shuffled anew each epoch; the
other splits are one pass in order over at most ``config.eval_examples`` examples.
b = batch_size / shard.count, L samples of a window, N = config.max_text_tokens. With ``encode`` a batch with
text also holds "text_features": float32 [b, M, C], what ``encode`` made of its captions.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import grain
import numpy as np

from hsmtss_jax.atomic import current_folder
from hsmtss_jax.config import DataConfig, Shard
from hsmtss_jax.data.bad_records import PassingOver
from hsmtss_jax.data.batches import Batches
from hsmtss_jax.data.mixing import Mixer
from hsmtss_jax.data.mixture_records import ManifestReader
from hsmtss_jax.data.order import Order, mixture_order, training_order, visit
from hsmtss_jax.data.records import RecordReader, read_index, read_kinds
from hsmtss_jax.data.sets import open_clips, single_root
from hsmtss_jax.data.sources import ClipSource, label_cycle
from hsmtss_jax.data.text_table import Encode, TextTable, TokenizeFn
from hsmtss_jax.data.views import (
    CaptionView,
    ClipView,
    Example,
    MixtureFeatureView,
    MixtureView,
    PreparedMixtureView,
)

FEATURE_SOURCE = (
    "audio_mae.digest"  # file of a feature data set: the AudioMAE bundle it was made with
)

View = Callable[[int, np.random.Generator], Example]


def clip_dataset(
    config: DataConfig, split: str, shard: Shard, seed: int, *, samples: int
) -> Batches:
    """Return batches {"audio": float32 [b, L], "length": int32 [b]}.

    Args:
      config: of the data.
      split: a name; "train" is shuffled and endless.
      shard: this process's part.
      seed: of all that is random.
      samples: L.
    """
    source = open_clips(config, split)
    view = ClipView(source, config, samples, train=split == "train")
    name = functools.partial(_clip_name, source)
    return _batches(_order(source, config, split), view, name, config, split, shard, seed)


def caption_dataset(
    config: DataConfig,
    split: str,
    shard: Shard,
    seed: int,
    *,
    samples: int,
    tokenizer: TokenizeFn,
    encode: Encode | None = None,
) -> Batches:
    """Return batches of clips with a caption.

    {"audio", "length", "text_ids": int32 [b, N], "text_mask": bool [b, N], "caption_id": int32 [b]}.

    Args:
      config: of the data.
      split: a name; "train" is shuffled and endless.
      shard: this process's part.
      seed: of all that is random.
      samples: L.
      tokenizer: from captions to token ids and mask.
      encode: text encoder of the captions, where batches are to hold "text_features".
    """
    source = open_clips(config, split)
    texts = TextTable(source.texts(), tokenizer, config.max_text_tokens, encode)
    view = CaptionView(source, config, samples, texts, train=split == "train")
    name = functools.partial(_clip_name, source)
    return _batches(_order(source, config, split), view, name, config, split, shard, seed)


def mixture_dataset(
    config: DataConfig,
    split: str,
    shard: Shard,
    seed: int,
    *,
    samples: int,
    tokenizer: TokenizeFn,
    encode: Encode | None = None,
) -> Batches:
    """Return batches of mixtures.

    {"mixture", "target": float32 [b, L], "length": int32 [b], "text_ids": int32 [b, N], "text_mask":
    bool [b, N], "task": int32 [b], "present": bool [b] (the text describes a sound of the mixture)}.

    Args:
      config: of the data: clips, mixed on the fly as drawn or as a manifest says, or prepared mixtures.
      split: a name; "train" is shuffled and endless.
      shard: this process's part.
      seed: of all that is random.
      samples: L.
      tokenizer: from captions to token ids and mask.
      encode: text encoder of the captions, where batches are to hold "text_features".
    """
    view: View
    root = single_root(config)
    if config.manifest:
        reader = ManifestReader(config, split)
        texts = TextTable(reader.texts(), tokenizer, config.max_text_tokens, encode)
        view = PreparedMixtureView(reader, config, samples, texts, train=split == "train")
        order = _pass(len(reader), config, split)
        name = functools.partial(_mixture_name, reader)
    elif root and "mixture" in read_kinds(root):
        order, view = _prepared_mixtures(config, split, samples, tokenizer, encode)
        name = functools.partial(_record_name, RecordReader(root, split))
    else:
        source = open_clips(config, split)
        texts = TextTable(source.texts(), tokenizer, config.max_text_tokens, encode)
        view = MixtureView(_mixer(source, config, split, samples), texts)
        order = mixture_order(source, config, split)
        name = functools.partial(_clip_name, source)
    return _batches(order, view, name, config, split, shard, seed)


def _prepared_mixtures(
    config: DataConfig, split: str, samples: int, tokenizer: TokenizeFn, encode: Encode | None
) -> tuple[Order, View]:
    order, texts = _records(config, split, tokenizer, encode)
    reader = RecordReader(config.root, split)
    return order, PreparedMixtureView(reader, config, samples, texts, train=split == "train")


def _records(
    config: DataConfig, split: str, tokenizer: TokenizeFn, encode: Encode | None
) -> tuple[Order, TextTable]:
    """Return the records of an epoch (train) or of the pass of mixtures on disk, and their captions."""
    rows = read_index(config.root, split)
    texts = {text for row in rows for text in row["captions_target"] + row["captions_other"]}
    table = TextTable(sorted(texts), tokenizer, config.max_text_tokens, encode)
    return _pass(len(rows), config, split), table


def _pass(count: int, config: DataConfig, split: str) -> Order:
    """Return the mixtures of an epoch (train) or of the pass, of ``count`` that there are."""
    return [(range(count if split == "train" else min(count, config.eval_examples)), 1.0)]


def holds_features(config: DataConfig) -> bool:
    """Return whether ``config.root`` is a data set of precomputed features (``hsmtss precompute``)."""
    root = single_root(config)
    if not root:
        return False
    return (current_folder(root) / "features.json").is_file() and "s_mixture" in read_kinds(root)


def mixture_feature_dataset(
    config: DataConfig,
    split: str,
    shard: Shard,
    seed: int,
    *,
    width: int,
    source: str,
    tokenizer: TokenizeFn,
    encode: Encode | None = None,
) -> Batches:
    """Return batches of precomputed features.

    {"s_mixture", "s_target": float16 [b, P, C], "length": int32 [b], "text_ids": int32 [b, N], "text_mask":
    bool [b, N], "task": int32 [b], "present": bool [b]}.

    Args:
      config: of the data.
      split: a name; "train" is shuffled and endless.
      shard: this process's part.
      seed: of all that is random.
      width: C.
      source: digest of the AudioMAE that made them.
      tokenizer: from captions to token ids and mask.
      encode: text encoder of the captions, where batches are to hold "text_features".

    Raises:
      ValueError: another AudioMAE made them.
    """
    made_with = (current_folder(config.root) / FEATURE_SOURCE).read_text().strip()
    if made_with != source:
        raise ValueError(
            f"the features in {config.root} were made with another AudioMAE ({made_with[:12]}, here "
            f"{source[:12]}): run hsmtss precompute again"
        )
    order, texts = _records(config, split, tokenizer, encode)
    reader = RecordReader(config.root, split)
    view = MixtureFeatureView(reader, config, width, texts, train=split == "train")
    name = functools.partial(_record_name, reader)
    return _batches(order, view, name, config, split, shard, seed)


def _mixer(source: ClipSource, config: DataConfig, split: str, samples: int) -> Mixer:
    train = split == "train"
    return Mixer(source, config, samples, augmented=train and config.augment, train=train)


def _order(source: ClipSource, config: DataConfig, split: str) -> Order:
    """Return the clip indices of an epoch (train), or of the pass: the labels in turn."""
    if split == "train":
        return training_order(source, config)
    return [(label_cycle(source.clips)[: config.eval_examples], 1.0)]


def examples(
    order: Order, view: Callable[[int, np.random.Generator], Any], split: str, seed: int
) -> grain.MapDataset:
    """Return example i by index, from (seed, i) alone."""
    return visit(order, split, seed).random_map(view)


def _clip_name(source: ClipSource, index: int) -> str:
    return source.clips[index].id


def _mixture_name(reader: ManifestReader, index: int) -> str:
    recipe = reader.recipe(index)
    return f"{recipe.target} + {recipe.other}"


def _record_name(reader: RecordReader, index: int) -> str:
    try:
        return str(reader.read(index, frozenset({"id"})).get("id", index))
    except (ValueError, OSError, RuntimeError, IndexError):  # the record is damaged
        return str(index)


def _batches(
    order: Order,
    view: View,
    name: Callable[[int], str],
    config: DataConfig,
    split: str,
    shard: Shard,
    seed: int,
) -> Batches:
    train = split == "train"
    visited = visit(order, split, seed)
    indices: Sequence[int] = np.concatenate([np.asarray(part) for part, _ in order])  # type: ignore[assignment]
    careful = PassingOver(view, indices, name, config.bad_share)
    return Batches(
        visited,
        visited.random_map(careful),
        batch_size=config.batch_size,
        shard=shard,
        workers=config.workers if train else 0,
        drop_remainder=train,
        name=name,
    )
