"""Windows in, generated sounds out: what the model makes of some windows for all prompts of their tracks.

Legend: n windows, W samples of a window, P patches, C widths, T token frames, K groups.
"""

from collections.abc import Sequence

import jax
import numpy as np

from hsmtss_jax.inference.buckets import length_bucket
from hsmtss_jax.inference.model_runner import ModelRunner, Row
from hsmtss_jax.inference.options import Options
from hsmtss_jax.inference.rendering import Generated
from hsmtss_jax.inference.requests import Cell
from hsmtss_jax.inference.runtime import Prediction
from hsmtss_jax.models.semantics import Semantics
from hsmtss_jax.sampling.policies import Policy

KEPT = 64 << 20  # bytes of mixture features that are kept from the survey to the separation
CANDIDATE_STEP = 1_000_003  # between the seeds of a window's candidates
Lanes = dict[int, np.ndarray]


class WindowModel:
    """Runs windows of any tracks as batches; ``options`` say how."""

    def __init__(self, runner: ModelRunner, options: Options) -> None:
        self._runner, self._options = runner, options
        self._policy: Policy = options.policy or runner.system.pipeline.sampling
        self._kept: dict[tuple[int, int], Semantics] = {}
        self._bytes = 0

    def survey(self, cells: Sequence[Cell]) -> list[Lanes]:
        """Predicts every lane of some windows, notes the cosines, and keeps the mixture's features.

        Gives the predicted global feature [1, C] of each lane, a window.
        """
        mixture = self._listen([cell.audio for cell in cells])
        self._keep(cells, mixture)
        found, places = self._predict(cells, mixture, [cell.track.lanes for cell in cells])
        return [{lane: np.asarray(found.g[row]) for lane, row in place.items()} for place in places]

    def generate(self, cells: Sequence[Cell]) -> list[list[Generated]]:
        """The sounds of every window's prompts."""
        found, places = self._predict(cells, self._mixture(cells), self._wanted(cells))
        rows, owners = [], []
        for number, (cell, place) in enumerate(zip(cells, places, strict=True)):
            for lane in cell.track.voices:
                for candidate in range(self._options.candidates):
                    rows.append(self._row(cell, lane, found, place[lane], candidate))
                    owners.append((number, lane))
        sounds = self._sounds(cells, rows, owners)
        return [
            [
                Generated(
                    sounds[number, prompt.target],
                    None if prompt.opposite is None else sounds[number, prompt.opposite],
                )
                for prompt in cell.track.prompts
            ]
            for number, cell in enumerate(cells)
        ]

    def _wanted(self, cells: Sequence[Cell]) -> list[list[int]]:
        """The lanes to predict: probes only where no survey has asked them."""
        return [cell.track.voices if cell.track.surveyed else cell.track.lanes for cell in cells]

    def _mixture(self, cells: Sequence[Cell]) -> Semantics:
        """Features of the windows: those kept, and those not kept computed (again)."""
        kept = [self._kept.pop((cell.track.index, cell.index), None) for cell in cells]
        missing = [cell.audio for cell, s in zip(cells, kept, strict=True) if s is None]
        if missing:
            fresh = self._listen(missing)
            rows = iter(range(len(missing)))
            kept = [_row_of(fresh, next(rows)) if s is None else s for s in kept]
        self._bytes = sum(each.s.nbytes for each in self._kept.values())
        return jax.tree.map(lambda *x: np.stack(x), *kept)

    def _listen(self, windows: Sequence[np.ndarray]) -> Semantics:
        return self._runner.listen(self._whole(np.stack(windows)))

    def _whole(self, audio: np.ndarray) -> np.ndarray:
        """Windows [n, W] or shorter segments, padded to what the networks take."""
        return np.pad(audio, ((0, 0), (0, self._runner.system.window - audio.shape[1])))

    def forget(self, index: int) -> None:
        """Let go of the features of a track that will not be generated."""
        self._kept = {key: value for key, value in self._kept.items() if key[0] != index}

    def _keep(self, cells: Sequence[Cell], mixture: Semantics) -> None:
        size = mixture.s[0].nbytes
        for i, cell in enumerate(cells):
            if self._bytes + size <= KEPT:
                self._kept[cell.track.index, cell.index] = _row_of(mixture, i)
                self._bytes += size

    def _predict(
        self, cells: Sequence[Cell], mixture: Semantics, lanes: Sequence[Sequence[int]]
    ) -> tuple[Prediction, list[dict[int, int]]]:
        """Predictions in rows, and for each window lane -> row. Notes the cosines in the tracks."""
        pairs = [(number, lane) for number, wanted in enumerate(lanes) for lane in wanted]
        index = np.array([number for number, _ in pairs])
        rows = jax.tree.map(lambda x: x[index], mixture)
        shared = [cells[number].track.shared.get(lane) for number, lane in pairs]
        given = None if shared[0] is None else np.stack([g for g in shared if g is not None])
        found = self._runner.predict(rows, [lane for _, lane in pairs], given)
        places: list[dict[int, int]] = [{} for _ in cells]
        for row, (number, lane) in enumerate(pairs):
            places[number][lane] = row
            track = cells[number].track
            if not track.surveyed:
                cosines = float(found.of_target[row]), float(found.of_mixture[row])
                track.cosines.setdefault(lane, []).append(cosines)
        return found, places

    def _row(self, cell: Cell, lane: int, found: Prediction, row: int, candidate: int) -> Row:
        seed = (self._options.seed + cell.index + CANDIDATE_STEP * candidate) % 2**32
        frame = self._runner.system.frame
        shared, hop = cell.track.plan.overlap // frame, cell.track.plan.hop // frame
        # Windows that continue nothing force no frames, so that all windows are one program.
        forced = np.zeros((shared, self._runner.system.decoder_config.groups), np.int32)
        continues = self._options.decode == "sequence" and cell.index > 0
        if continues:
            forced = cell.track.tokens[lane][hop : hop + shared]
        given = shared if continues else 0
        s, g = np.asarray(found.s[row]), np.asarray(found.g[row])
        return Row(lane, s, g, seed, forced, given)

    def _sounds(
        self, cells: Sequence[Cell], rows: Sequence[Row], owners: Sequence[tuple[int, int]]
    ) -> dict[tuple[int, int], np.ndarray]:
        """(window, lane) -> its sound [W], the best of its candidates."""
        system, window = self._runner.system, cells[0].track.plan.window
        samples = length_bucket(max(cell.used for cell in cells), window, 8 * system.frame)
        frames = system.codec.token_frames(samples)
        tokens = self._runner.sample(rows, self._policy, frames)
        audio = self._runner.decode(tokens, samples)
        audio = np.pad(audio, ((0, 0), (0, window - samples)))
        scores = np.zeros(len(rows))
        if self._options.candidates > 1:
            scores = self._runner.judge(self._whole(audio), rows)
        best: dict[tuple[int, int], int] = {}
        for row, owner in enumerate(owners):
            if owner not in best or scores[row] > scores[best[owner]]:
                best[owner] = row
        for (number, lane), row in best.items():
            cells[number].track.tokens[lane] = tokens[row]
        return {owner: audio[row] for owner, row in best.items()}


def _row_of(semantics: Semantics, row: int) -> Semantics:
    return Semantics(s=semantics.s[row], g=semantics.g[row])
