"""The results of one ``hsmtss separate``: what is said of each, and the exit status of all."""

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsmtss_jax.cli import reports
from hsmtss_jax.cli.messages import fail, one_line
from hsmtss_jax.cli.outputs import Place

if TYPE_CHECKING:
    from hsmtss_jax.inference import SeparationReport, Separator
    from hsmtss_jax.instructions import Instruction

DONE, PARTLY, NOTHING, ABSENT = 0, 1, 2, 3


@dataclasses.dataclass(frozen=True)
class Piece:
    """One result that is wanted: a recording, a prompt, and where the sounds and the figure go."""

    source: Path
    text: str
    instruction: "Instruction"
    place: Place
    figure: Path | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        place = self.place
        return {
            "input": str(self.source),
            "output": str(place.target),
            "residual": None if place.residual is None else str(place.residual),
            "instruction": self.text,
            **self.instruction.as_dict(),
        }


class Results:
    """Counts and reports. emit: takes a JSON document a result."""

    def __init__(self, args: argparse.Namespace, emit: reports.Emit) -> None:
        self._args, self._emit = args, emit
        self._counts = dict.fromkeys(("done", "skipped", "absent", "failed"), 0)
        self._model: dict[str, Any] = {}
        self._told: list[Exception] = []

    def status(self) -> int:
        """The exit status."""
        count = self._counts
        if count["failed"]:
            return PARTLY if count["done"] + count["skipped"] + count["absent"] else NOTHING
        return ABSENT if count["absent"] else DONE

    @property
    def any_done(self) -> bool:
        """Whether something was written."""
        return self._counts["done"] > 0

    def loaded(self, separator: "Separator") -> None:
        """The model is there."""
        self._model = {
            "checkpoint": str(self._args.ckpt or separator.name),
            "device": f"{separator.device.platform}:{separator.device.id}",
            "dtype": np.dtype(separator.dtype).name,
            "sampling": dataclasses.asdict(separator.sampling),
            "batch": separator.batch,
        }
        if self._args.verbose:
            what = ", ".join(f"{name} {value}" for name, value in self._model.items())
            print(f"hsmtss: {what}", file=sys.stderr)

    def done(self, piece: Piece, report: "SeparationReport", gain: float) -> None:
        """A result is written."""
        self._counts["done"] += 1
        if piece.figure is not None:
            try:
                self._draw(piece, report)
            except (ValueError, OSError) as error:
                return self.failed(piece, error)
        self._emit(self._document(piece, report, gain))
        if self._args.quiet or self._args.json == "-":
            return
        seconds = report.samples / report.sample_rate
        asked = f"{report.instruction.task} {report.instruction.description!r}"
        files = ", ".join(str(file) for file in piece.place.files)
        reports.say(f"{files}: {asked}, {seconds:.1f} s, presence {report.presence.score:.2f}")
        if self._args.verbose:
            spent = ", ".join(f"{name} {value:.2f} s" for name, value in report.timing.items())
            print(f"hsmtss: so far {spent}", file=sys.stderr)

    def skipped(self, piece: Piece) -> None:
        """A result is there already."""
        self._counts["skipped"] += 1
        self._emit({"status": "skipped", **piece.as_dict()})
        if not self._args.quiet and self._args.json != "-":
            reports.say(f"{piece.place.target}: exists, skipped")

    def failed(self, piece: Piece | None, error: Exception) -> None:
        """A result cannot be made (piece None: a name that holds no recording)."""
        presence = getattr(error, "presence", None)  # of a TargetAbsent: no need to load its module
        status = "failed" if presence is None else "absent"
        self._counts[status] += 1
        message = one_line(error)
        if piece is not None and str(piece.source) not in message:
            message = f"{piece.source}: {message}"
        if not any(error is told for told in self._told):  # a line for all prompts of a recording
            self._told.append(error)
            fail(message)
        document = {} if piece is None else piece.as_dict()
        if presence is not None:
            document["presence"] = dataclasses.asdict(presence)
        self._emit({"status": status, **document, "error": message})

    def _draw(self, piece: Piece, report: "SeparationReport") -> None:
        args = self._args
        reference = Path(args.target) if args.target else None
        span = args.start, args.end
        assert piece.figure is not None
        reports.draw(
            piece.figure,
            piece.source,
            piece.place.target,
            span,
            piece.text,
            report.activity,
            reference,
        )

    def _document(self, piece: Piece, report: "SeparationReport", gain: float) -> dict[str, Any]:
        args, curve = self._args, report.activity
        options = ("seed", "decode", "global_scope", "candidates", "segment", "overlap")
        sampling = {
            name: default if (given := getattr(args, name)) is None else given
            for name, default in self._model["sampling"].items()
        }
        return {
            "status": "done",
            **piece.as_dict(),
            "figure": None if piece.figure is None else str(piece.figure),
            "seconds": round(report.samples / report.sample_rate, 3),
            "sample_rate": report.sample_rate,
            "start": args.start,
            "mode": report.mode,
            **({} if report.mode == "generate" else {"reference": args.reference}),
            **(
                {"blend": 0.5 if args.blend is None else args.blend}
                if report.mode == "blend"
                else {}
            ),
            "windows": report.windows,
            **{name: getattr(args, name) for name in options},
            **self._model,
            "sampling": sampling,
            "presence": dataclasses.asdict(report.presence),
            "activity": {
                "times": np.round(curve.times, 3).tolist(),
                "values": np.round(curve.values.astype(float), 3).tolist(),
            },
            "peak": round(report.peak, 6),
            "gain": round(gain, 6),
            "timing": {name: round(value, 3) for name, value in report.timing.items()},
        }
