"""How to separate: one frozen record, checked when it is made."""

import dataclasses
from typing import Any

from hsmtss_jax.sampling.policies import Policy

MODES = ("mask", "generate", "blend")  # the first of each is the default
DECODES = ("batch", "sequence")
SCOPES = ("window", "file")
REFERENCES = ("both", "target")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Options of ``Separator.separate``, which says what they mean. Raises ValueError."""

    mode: str = MODES[0]
    reference: str = REFERENCES[0]
    decode: str = DECODES[0]
    seed: int = 0
    policy: Policy | None = None  # the bundle's
    candidates: int = 1
    min_presence: float | None = None
    global_scope: str = SCOPES[0]
    blend: float = 0.5
    residual: bool = True

    def __post_init__(self) -> None:
        _choice("mode", self.mode, MODES)
        _choice("reference", self.reference, REFERENCES)
        _choice("decode", self.decode, DECODES)
        _choice("global_scope", self.global_scope, SCOPES)
        if self.candidates < 1:
            raise ValueError(f"candidates must be at least 1, got {self.candidates}")
        _share("blend", self.blend)
        if self.min_presence is not None:
            _share("min_presence", self.min_presence)

    @property
    def opposites(self) -> bool:
        """Whether the opposite task's sound is generated as well: for the mask, or as the residual."""
        return self.residual if self.mode == "generate" else self.reference == "both"


def _choice(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"unknown {name} {value!r}: choose one of {', '.join(allowed)}")


def _share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must lie between 0 and 1, got {value}")
