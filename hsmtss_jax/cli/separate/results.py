"""Report the results of one ``hsmtss separate``: a line each, and the exit status of all."""

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsmtss_jax.cli.errors import caution, fail, one_line
from hsmtss_jax.cli.separate import reports
from hsmtss_jax.cli.separate.naming import OutputPaths
from hsmtss_jax.cli.separate.options import SeparateCommand

if TYPE_CHECKING:
    from hsmtss_jax.inference import SeparationReport, Separator
    from hsmtss_jax.instructions import Instruction

DONE, PARTLY, NOTHING, ABSENT = 0, 1, 2, 3
NARROW = 4000.0  # [Hz] a bandwidth below it gets a warning


@dataclasses.dataclass(frozen=True)
class Job:
    """Hold one result that is wanted: a recording, a prompt, and where the sounds and the figure go.

    part: start and end of what is separated [s]; None: its end. shown: what reports call the output, where
    it is not the target's path.
    """

    source: Path
    text: str
    instruction: "Instruction"
    paths: OutputPaths
    figure: Path | None = None
    part: tuple[float, float | None] = (0.0, None)
    shown: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        paths = self.paths
        return {
            "input": str(self.source),
            "output": self.shown or str(paths.target),
            "residual": None if paths.residual is None else str(paths.residual),
            "instruction": self.text,
            **self.instruction.as_dict(),
        }


class Results:
    """Count and report results. emit: takes a JSON document a result."""

    def __init__(self, command: SeparateCommand, emit: reports.Emit) -> None:
        self._command, self._emit = command, emit
        self._quiet = command.reports.quiet or command.reports.json == "-"
        self._counts = dict.fromkeys(("done", "skipped", "absent", "failed"), 0)
        self._model: dict[str, Any] = {}
        self._told: list[Exception] = []
        self._narrow: set[Path] = set()

    def status(self) -> int:
        """Return the exit status."""
        count = self._counts
        if count["failed"]:
            return PARTLY if count["done"] + count["skipped"] + count["absent"] else NOTHING
        return ABSENT if count["absent"] else DONE

    @property
    def any_done(self) -> bool:
        """Return whether something was written."""
        return self._counts["done"] > 0

    def loaded(self, separator: "Separator") -> None:
        """Note the model that is used."""
        sampling = separator.sampling
        self._model = {
            "checkpoint": self._command.model.ckpt or separator.name,
            "architecture": separator.architecture,
            "device": f"{separator.device.platform}:{separator.device.id}",
            "dtype": np.dtype(separator.dtype).name,
            "sampling": sampling and dataclasses.asdict(self._command.separation.policy(sampling)),
            "batch": separator.batch,
        }
        if self._command.reports.verbose:
            what = ", ".join(f"{name} {value}" for name, value in self._model.items())
            print(f"hsmtss: {what}", file=sys.stderr)

    def done(self, job: Job, report: "SeparationReport") -> None:
        """Report a result that is written, and draw its figure."""
        self._counts["done"] += 1
        self._warn_of_narrow(job.source, report.bandwidth)
        figure = self._drawn(job, report)
        self._emit(self._document(job, report, figure))
        if self._quiet:
            return
        seconds = report.samples / report.sample_rate
        asked = report.instruction
        files = ", ".join(str(file) for file in job.paths.files)
        found = "" if report.presence is None else f", presence {report.presence.score:.2f}"
        where = f" from {job.part[0]:.1f} s" if self._command.request.preview else ""
        reports.say(f"{files}: {asked}, {seconds:.1f} s{where}{found}")
        if self._command.reports.verbose:
            spent = ", ".join(f"{name} {value:.2f} s" for name, value in report.timing.items())
            print(f"hsmtss: so far {spent}", file=sys.stderr)

    def skipped(self, job: Job) -> None:
        """Report a result that is there already."""
        self._counts["skipped"] += 1
        self._emit({"status": "skipped", **job.as_dict()})
        if not self._quiet:
            reports.say(f"{job.paths.target}: exists, skipped")

    def failed(self, job: Job | None, error: Exception) -> None:
        """Report a result that cannot be made (job None: a name that holds no recording)."""
        presence = getattr(error, "presence", None)  # of a TargetAbsent: no need to load its module
        status = "failed" if presence is None else "absent"
        self._counts[status] += 1
        message = one_line(error)
        if job is not None and str(job.source) not in message:
            message = f"{job.source}: {message}"
        if not any(error is told for told in self._told):  # a line for all prompts of a recording
            self._told.append(error)
            fail(message)
        document = {} if job is None else job.as_dict()
        if presence is not None:
            document["presence"] = dataclasses.asdict(presence)
        self._emit({"status": status, **document, "error": message})

    def _warn_of_narrow(self, source: Path, bandwidth: float) -> None:
        """Print a line, once a recording, where little of the spectrum is there."""
        if bandwidth < NARROW and source not in self._narrow:
            self._narrow.add(source)
            khz = f"{bandwidth / 1000:.1f} kHz"
            caution(
                f"{source}: next to nothing above {khz} (a telephone's band or less): expect less"
            )

    def _drawn(self, job: Job, report: "SeparationReport") -> Path | None:
        """Draw the figure that is wanted; return its path. One that fails is no failed result."""
        if job.figure is None:
            return None
        try:
            self._draw(job, job.figure, report)
        except Exception as error:
            caution(f"{job.figure}: the figure could not be drawn ({one_line(error)})")
            return None
        return job.figure

    def _draw(self, job: Job, path: Path, report: "SeparationReport") -> None:
        command = self._command
        reference = command.reports.target
        reports.draw(
            path,
            job.source,
            job.paths.target,
            job.part,
            job.text,
            report.activity,
            Path(reference) if reference else None,
        )

    def _document(
        self, job: Job, report: "SeparationReport", figure: Path | None
    ) -> dict[str, Any]:
        command, curve = self._command, report.activity
        return {
            "status": "done",
            **job.as_dict(),
            "figure": None if figure is None else str(figure),
            "seconds": round(report.samples / report.sample_rate, 3),
            "sample_rate": report.sample_rate,
            "start": job.part[0],
            "mode": report.mode,
            "options": dataclasses.asdict(command.separate_options),
            "windows": report.windows,
            "segment": command.model.segment,
            "overlap": command.model.overlap,
            **self._model,
            "presence": None if report.presence is None else dataclasses.asdict(report.presence),
            "activity": {
                "times": np.round(curve.times, 3).tolist(),
                "values": np.round(curve.values.astype(float), 3).tolist(),
            },
            "peak": round(report.peak, 6),
            "bandwidth": report.bandwidth,
            "gain": round(report.gain, 6),
            "timing": {name: round(value, 3) for name, value in report.timing.items()},
        }
