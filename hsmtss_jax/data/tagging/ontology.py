"""The AudioSet ontology: 632 sounds, each with what it is a kind of, and further kinds that captions name.

synonyms.csv says of words that they are another name ("same": hound, Dog) or a kind ("kind": hyena, Wild
animals) of a sound. Kinds are sounds of their own, so that a hyena and a gorilla are not alike.
"""

import csv
import dataclasses
import functools
import importlib.resources
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from hsmtss_jax.data.tagging.lemmas import keys

# Names that are common words of other meanings; they are matched by their synonyms alone.
BROAD = 20  # kinds of a sound that is broad
AMBIGUOUS = frozenset({
    "bay", "beat", "bouncing", "chord", "country", "crack", "dub", "echo", "electro", "field",
    "fill", "filing", "fly", "funk", "hands", "harmony", "inside", "keyboard", "light", "liquid",
    "loop", "organ", "outside", "patter", "pulse", "puff", "recording", "ringing", "rock", "roll",
    "rub", "run", "silence", "single", "snap", "song", "soul", "stir", "surface", "swing", "tap",
    "tapping", "vibration", "wood", "bass",
})  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Sound:
    """Hold one entry: its name as a tag, whether it is only a heading, and its parents' names."""

    name: str
    abstract: bool
    parents: tuple[str, ...]


class Ontology:
    """Look up sounds by name, what is above them, and what texts call them."""

    def __init__(self, sounds: Mapping[str, Sound]) -> None:
        self.sounds = sounds

    @functools.cached_property
    def _above(self) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}

        def above(name: str) -> frozenset[str]:
            if name not in found:
                parents = self.sounds[name].parents
                found[name] = frozenset(parents).union(*map(above, parents))
            return found[name]

        for name in self.sounds:
            above(name)
        return found

    def above(self, name: str) -> frozenset[str]:
        """Return all that a sound is a kind of."""
        return self._above[name]

    @functools.cached_property
    def broad(self) -> frozenset[str]:
        """Return the sounds that have many kinds: Animal, Music, Vehicle and the like."""
        count = Counter(above for name in self.sounds for above in self.above(name))
        return frozenset(name for name, number in count.items() if number >= BROAD)

    def closure(self, names: frozenset[str]) -> frozenset[str]:
        """Return sounds and all that they are kinds of."""
        return names.union(*(self.above(name) for name in names))

    def aliases(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield keys of words, and the sound they name; the more certain (shorter, a synonym) come last."""
        for name, sound in sorted(self.sounds.items(), key=lambda item: -len(item[0])):
            if not sound.abstract:
                yield from ((key, name) for key in sorted(_aliases(name)))
        for row in _rows("synonyms.csv"):
            yield keys(row["words"]), row["words"] if row["relation"] == "kind" else row["name"]


def _aliases(name: str) -> set[tuple[str, ...]]:
    """Return the keys of a name: of the whole, of each part between commas, without what is in brackets."""
    whole = keys(name)
    base = re.sub(r"\s*\(.*?\)", "", name)
    parts = [keys(part) for part in (base, *base.split(","))]
    plain = {part for part in parts if part and not (len(part) == 1 and part in _ambiguous())}
    return {whole, *plain} if len(whole) > 1 else plain


@functools.cache
def _ambiguous() -> frozenset[tuple[str, ...]]:
    return frozenset(keys(word) for word in AMBIGUOUS)


def _rows(name: str) -> Iterator[dict[str, str]]:
    folder = importlib.resources.files("hsmtss_jax.assets") / "tags"
    yield from csv.DictReader((folder / name).read_text(encoding="utf-8").splitlines())


@functools.cache
def load_ontology() -> Ontology:
    """Read the table of the package."""
    rows = list(_rows("audioset_ontology.csv"))
    names = {row["id"]: row["name"] for row in rows}
    sounds = {
        row["name"]: Sound(
            row["name"],
            "abstract" in row["restriction"],
            tuple(names[each] for each in row["parents"].split(";") if each),
        )
        for row in rows
    }
    for row in _rows("synonyms.csv"):
        if row["relation"] == "kind":
            sounds[row["words"]] = Sound(row["words"], False, (row["name"],))
    return Ontology(sounds)
