"""Lines of the report of ``hsmtss doctor``, and numbers that people can read."""

import dataclasses
from typing import Any, Literal

Status = Literal["ok", "note", "bad"]


@dataclasses.dataclass(frozen=True)
class Finding:
    """Store a line of the report. note: works, yet worth knowing; bad: keeps the checkpoint from running."""

    status: Status
    name: str
    text: str
    values: dict[str, Any] = dataclasses.field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return dataclasses.asdict(self)


def size(count: float) -> str:
    """Return a number of bytes in MiB or GiB."""
    if count < 2**30:
        return f"{count / 2**20:.0f} MiB" if count >= 10 * 2**20 else f"{count / 2**20:.1f} MiB"
    return f"{count / 2**30:.1f} GiB"
