"""Retrieval between clips and captions (HSM-TSS Table V), in both directions.

Text to audio: each caption ranks all clips. Audio to text: each clip ranks all captions and the best
of its own counts. Clotho's and AudioCaps' five captions a clip are the usual case (LAION-CLAP's
protocol, with fixed crops in place of random ones).

Legend: n clips, m texts, E contrastive width.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from hsmtss_jax.evaluation.pooling import Audio, fixed_crops, pool
from hsmtss_jax.evaluation.representation import Representation
from hsmtss_jax.metrics import Estimate, best_ranks, mean_with_interval
from hsmtss_jax.metrics.retrieval import chance_median_rank, chance_recall
from hsmtss_jax.metrics.tables import Column, Report, Row, Table
from hsmtss_jax.progress import Progress
from hsmtss_jax.sampling import apply_in_batches

RECALLS = (1, 5, 10)
DIRECTIONS = {"text_to_audio": "text to audio", "audio_to_text": "audio to text"}


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Store which text belongs to which clip.

    texts: m of them. relevant: bool [m, n]. clip_groups [n], text_groups [m]: numbers of sets of
    clips that share no caption with any other; the bootstrap draws whole sets.
    """

    texts: tuple[str, ...]
    relevant: np.ndarray
    clip_groups: np.ndarray
    text_groups: np.ndarray


@dataclasses.dataclass(frozen=True)
class Ranking:
    """Store one direction. ranks, relevant (number of right items): int [Q]; groups [Q]; items: how many
    each query ranks."""

    queries: tuple[str, ...]
    ranks: np.ndarray
    relevant: np.ndarray
    groups: np.ndarray
    items: int


@dataclasses.dataclass(frozen=True)
class RetrievalScores:
    """Store the scores of one direction.

    recall: k -> share of queries whose best right item is among the first k; chance: the same for a random
    ranking. median_rank: 1 is the best.
    """

    recall: dict[int, Estimate]
    chance: dict[int, float]
    median_rank: float
    chance_median_rank: int
    queries: int
    items: int


def pair(captions: Sequence[Sequence[str]], *, merge: bool = True) -> Pairs:
    """Pair texts with clips, from every clip's captions.

    merge: captions that are equal but for case and surrounding space are one text, right for every
    clip that carries it, so that a retriever is not blamed for finding another dog under "a dog
    barks". Otherwise, as in the literature, each caption is a text of its own and only the clip it
    was written for is right. Raises ValueError for a clip without a caption.
    """
    if any(len(texts) == 0 for texts in captions):
        raise ValueError("a clip has no caption")
    merged = _merged(captions)
    groups = _components(merged.relevant)
    if merge:
        texts, relevant = merged.texts, merged.relevant
        text_groups = groups[relevant.argmax(axis=1)]
    else:
        owner = np.repeat(np.arange(len(captions)), [len(own) for own in captions])
        texts = tuple(text for own in captions for text in own)
        relevant = owner[:, None] == np.arange(len(captions))[None, :]
        text_groups = groups[owner]
    return Pairs(texts, relevant, groups, text_groups)


def _merged(captions: Sequence[Sequence[str]]) -> Pairs:
    clips_of: dict[str, list[int]] = {}
    first: dict[str, str] = {}
    for clip, own in enumerate(captions):
        for text in own:
            key = text.strip().lower()
            first.setdefault(key, text)
            clips_of.setdefault(key, []).append(clip)
    relevant = np.zeros((len(first), len(captions)), bool)
    for row, clips in enumerate(clips_of.values()):
        relevant[row, clips] = True
    empty = np.zeros(0, int)
    return Pairs(tuple(first.values()), relevant, empty, empty)


def _components(relevant: np.ndarray) -> np.ndarray:
    """Number the sets of clips that share texts: bool [m, n] -> int [n]."""
    rows, columns = np.nonzero(relevant)
    texts, clips = relevant.shape
    edges = (np.ones(len(rows)), (rows, columns + texts))
    graph = coo_matrix(edges, shape=(texts + clips, texts + clips))
    return connected_components(graph, directed=False)[1][texts:]


def embed_clips(
    representation: Representation,
    audio: Audio,
    count: int,
    *,
    crops: int = 3,
    batch: int = 32,
    progress: Progress | None = None,
) -> np.ndarray:
    """Compute z_a of clips [n, E]: the mean of the vectors of fixed crops, at unit length.

    Args:
      representation: the encoders.
      audio: from a clip's number to its samples.
      count: n.
      crops: of a clip over the window.
      batch: crops at once.
      progress: takes clips done and n.
    """

    def embed(audio: np.ndarray, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return representation.audio_vectors(audio), np.ones(len(samples))

    windows = fixed_crops(audio, count, representation.window, crops)
    return _unit(pool(windows, embed, count, batch, progress))


def embed_texts(
    representation: Representation, texts: Sequence[str], *, batch: int = 32
) -> np.ndarray:
    """Compute z_t of the texts [m, E], unit length. Short and long ones are embedded apart."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # so that batches fill buckets
    ordered = np.array([texts[i] for i in order], object)

    def embed(part: np.ndarray) -> np.ndarray:
        return representation.text_vectors(part.tolist())

    return apply_in_batches(embed, ordered, limit=batch)[np.argsort(order)]


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def rank(
    audio: np.ndarray, text: np.ndarray, pairs: Pairs, names: Sequence[str]
) -> dict[str, Ranking]:
    """Rank in both directions by vectors [n, E] and [m, E]; names: the clips', for the report."""
    similarity = text @ audio.T
    relevant = pairs.relevant
    return {
        "text_to_audio": Ranking(
            queries=pairs.texts,
            ranks=best_ranks(similarity, relevant),
            relevant=relevant.sum(axis=1),
            groups=pairs.text_groups,
            items=relevant.shape[1],
        ),
        "audio_to_text": Ranking(
            queries=tuple(names),
            ranks=best_ranks(similarity.T, relevant.T),
            relevant=relevant.sum(axis=0),
            groups=pairs.clip_groups,
            items=relevant.shape[0],
        ),
    }


def score(ranking: Ranking) -> RetrievalScores:
    """Compute recalls with 95 % intervals, their chance levels and median ranks."""
    return RetrievalScores(
        recall={k: mean_with_interval(ranking.ranks <= k, groups=ranking.groups) for k in RECALLS},
        chance={
            k: float(chance_recall(ranking.relevant, ranking.items, k).mean()) for k in RECALLS
        },
        median_rank=float(np.median(ranking.ranks)),
        chance_median_rank=chance_median_rank(ranking.relevant, ranking.items),
        queries=len(ranking.ranks),
        items=ranking.items,
    )


def report(
    scores: Mapping[str, RetrievalScores], rankings: Mapping[str, Ranking], about: Mapping[str, Any]
) -> Report:
    """Build the report: a row a direction and its chance level; ``rows`` hold each query's rank."""
    columns = [
        *(Column(f"recall_{k}", f"R@{k} (%) ↑", decimals=1, scale=100) for k in RECALLS),
        Column("median_rank", "median rank ↓", decimals=0),
        Column("queries", "queries", decimals=0),
        Column("items", "ranked items", decimals=0),
    ]
    lines = [row for name, found in scores.items() for row in _table_rows(name, found)]
    return Report([Table(columns, lines)], about, {k: _rank_rows(r) for k, r in rankings.items()})


def _table_rows(name: str, found: RetrievalScores) -> list[Row]:
    recalls = {f"recall_{k}": found.recall[k] for k in RECALLS}
    chance = {f"recall_{k}": found.chance[k] for k in RECALLS}
    sizes = {"queries": found.queries, "items": found.items}
    median, by_chance = found.median_rank, found.chance_median_rank
    return [
        Row(DIRECTIONS[name], {**recalls, "median_rank": median, **sizes}, name),
        Row("chance", {**chance, "median_rank": by_chance}, f"{name}, chance"),
    ]


def _rank_rows(ranking: Ranking) -> list[dict[str, Any]]:
    rows = zip(ranking.queries, ranking.ranks, ranking.relevant, strict=True)
    return [
        {"query": query, "rank": int(place), "relevant": int(right)} for query, place, right in rows
    ]
