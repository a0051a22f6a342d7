"""Cache of frozen text features: computed once for a data set's captions, looked up while training.

A data set has fewer captions than a run has examples, and the frozen text encoder gives the same for a
caption each time: with ``data.text_cache`` its outputs are written to a file of that folder when the data
set is opened, and the data view puts them into the batch. Every process writes its own file or finds it
there; its name tells what it was computed from, so nothing stale is ever read.

Legend: T texts, N tokens, M rows of a text's features at most, C their width.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from hsmtss_jax.atomic import replace_file
from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.data.text_table import FeatureRows

BATCH = 64

# Frozen parameters, token ids [B, N], mask [B, N] -> features float32 [B, M, C].
EncodeText = Callable[[Mapping[str, Any], jax.Array, jax.Array], jax.Array]


@dataclasses.dataclass(frozen=True)
class TextCache:
    """Look up ``encode(ids, mask)`` of a ``TextTable``: what ``compute`` makes of texts, from a file.

    folder: where files are. bundles: what ``compute`` reads, by name. dtype: what it computes in.
    extra: rows of a text's features beyond its tokens (M - N).
    """

    folder: str
    bundles: Mapping[str, Bundle]
    compute: EncodeText
    dtype: Any
    extra: int = 0

    def __call__(self, ids: np.ndarray, mask: np.ndarray) -> FeatureRows:
        """Return features of texts with these token ids and mask, [T, N] each; computes those not there."""
        counts = mask.sum(axis=1) + self.extra
        path = Path(self.folder) / f"{self._name(ids, mask)}.npy"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with replace_file(path) as work, jax.transfer_guard("allow"):
                self._write(work, ids, mask, counts)
        return FeatureRows(path, counts, ids.shape[1] + self.extra)

    def _name(self, ids: np.ndarray, mask: np.ndarray) -> str:
        """Compute a digest of all that the features depend on."""
        total = hashlib.sha256(f"{np.dtype(self.dtype)} {self.extra} {ids.shape}".encode())
        for name in sorted(self.bundles):
            total.update(f"{name} {self.bundles[name].digest}".encode())
        total.update(ids.tobytes())
        total.update(mask.tobytes())
        return total.hexdigest()[:32]

    def _write(self, path: Path, ids: np.ndarray, mask: np.ndarray, counts: np.ndarray) -> None:
        """Encode in one program for all batches: texts are as long as in a step, so that numbers agree."""
        compute = jax.jit(self.compute)
        frozen = jax.device_put({name: bundle.params for name, bundle in self.bundles.items()})
        width = jax.eval_shape(compute, frozen, ids[:1], mask[:1]).shape[2]
        shape = (int(counts.sum()), width)
        file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        at = 0
        for start in range(0, len(ids), BATCH):
            rows = np.minimum(np.arange(start, start + BATCH), len(ids) - 1)  # one static shape
            features = np.asarray(compute(frozen, ids[rows], mask[rows]))
            for i, row in enumerate(rows[: len(ids) - start]):
                file[at : at + counts[row]] = features[i, : counts[row]]
                at += counts[row]
        file.flush()
