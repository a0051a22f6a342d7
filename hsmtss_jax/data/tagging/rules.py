"""Tag captions by rules: n-grams of lemmatised words that are names or synonyms of AudioSet's sounds.

HSM-TSS section IV-A has GPT-4 do this, for the rule that two clips of a mixture share no tag. Here it is
offline: the longest match first, then all that the matches are kinds of. Two clips overlap when a sound of
one is a sound of the other, or what that is a kind of.
"""

import dataclasses
from collections.abc import Iterable

from hsmtss_jax.data.tagging.lemmas import keys, words
from hsmtss_jax.data.tagging.ontology import Ontology, load_ontology


@dataclasses.dataclass(frozen=True)
class Tags:
    """Hold what is heard (``events``), and that with all it is a kind of (``tags``)."""

    events: frozenset[str]
    tags: frozenset[str]

    def overlaps(self, other: "Tags") -> bool:
        """Return whether two clips must not be mixed."""
        return bool(self.events & other.tags or other.events & self.tags)


class RuleTagger:
    """Tag texts. Picklable."""

    def __init__(self, ontology: Ontology | None = None) -> None:
        self.ontology = ontology or load_ontology()
        self._names = {key: name for key, name in self.ontology.aliases() if key}
        self._longest = max(len(key) for key in self._names)

    def __call__(self, texts: Iterable[str]) -> Tags:
        """Tag a clip by all its texts. Where no text names a known sound, its words are its tags."""
        texts = list(texts)
        events = frozenset(name for text in texts for name in self._events(text))
        if not events:
            own = frozenset(words(texts[0])) if texts else frozenset()
            return Tags(own, own)
        return Tags(events, self.ontology.closure(events))

    def _events(self, text: str) -> frozenset[str]:
        """Return the sounds of a text without what is broad and also said more exactly ("piano music")."""
        found = frozenset(self.sounds(text))
        told = frozenset().union(*(self.ontology.above(name) for name in found))
        return found - (told & self.ontology.broad)

    def sounds(self, text: str) -> list[str]:
        """Return the names of the sounds that a text names, in order."""
        left, found = keys(text), []
        at = 0
        while at < len(left):
            for size in range(min(self._longest, len(left) - at), 0, -1):
                name = self._names.get(left[at : at + size])
                if name:
                    found.append(name)
                    at += size
                    break
            else:
                at += 1
        return found
