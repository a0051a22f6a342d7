"""Tag captions by a language model behind an OpenAI-compatible server, as HSM-TSS section IV-A does.

Captions go in batches; every answer is kept in a file as soon as it is there, so a run that stopped goes on,
and no caption is paid for twice.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from hsmtss_jax.data.tagging.rules import RuleTagger, Tags

Complete = Callable[[list[dict[str, str]]], str]  # messages -> the answer's text
BATCH = 20
PROMPT = (
    "You list the sound events that audio captions name. For each caption give the events as short nouns or "
    "noun phrases, singular, lower case, such as 'man speech', 'thump', 'frog croak'. Use the same words for "
    "the same sound (rain, not raindrops). Name nothing that the caption does not say. Answer with JSON "
    "only: a list with a list of strings for each caption, in their order."
)


class LanguageModelTagger:
    """Tag clips by the events that a model lists, in the vocabulary of the rules.

    Attributes:
      complete: asks the model.
      cache: JSON lines of captions and answers.
      model: its name; another model's answers are not used.
    """

    def __init__(
        self, complete: Complete, cache: Path, model: str, rules: RuleTagger | None = None
    ):
        self.complete, self.cache, self.model = complete, cache, model
        self._rules = rules or RuleTagger()
        self._known = dict(_read(cache, model))

    def ask(self, texts: Iterable[str]) -> Iterator[int]:
        """Ask for all texts that are not known yet, in batches; yield how many are. Raises ValueError."""
        left = [text for text in dict.fromkeys(texts) if text not in self._known]
        for start in range(0, len(left), BATCH):
            batch = left[start : start + BATCH]
            self._keep(batch, self._answer(batch))
            yield start + len(batch)

    def __call__(self, texts: Sequence[str]) -> Tags:
        """Tag a clip by all its texts, asking for those that are not known yet."""
        for _ in self.ask(texts):
            pass
        return self._rules([event for text in texts for event in self._known[text]])

    def _answer(self, batch: Sequence[str]) -> list[list[str]]:
        """Ask twice at most."""
        listed = "\n".join(f"{i}. {text}" for i, text in enumerate(batch, 1))
        messages = [
            {"role": "system", "content": PROMPT},
            {"role": "user", "content": listed},
        ]
        for _ in range(2):
            answer = _lists(self.complete(messages), len(batch))
            if answer is not None:
                return answer
        raise ValueError(f"the model {self.model} gave no list of {len(batch)} lists, twice")

    def _keep(self, batch: Sequence[str], answers: Sequence[list[str]]) -> None:
        self.cache.parent.mkdir(parents=True, exist_ok=True)
        with open(self.cache, "a", encoding="utf-8") as file:
            for text, events in zip(batch, answers, strict=True):
                self._known[text] = events
                told = {"model": self.model, "prompt": _prompt_id(), "text": text, "events": events}
                file.write(json.dumps(told, ensure_ascii=False) + "\n")


def _prompt_id() -> str:
    return hashlib.sha256(PROMPT.encode()).hexdigest()[:12]


def _read(cache: Path, model: str) -> Iterator[tuple[str, list[str]]]:
    """Yield what was asked of this model with this prompt; a last line that was cut short is passed over."""
    if not cache.exists():
        return
    for line in cache.read_text(encoding="utf-8").splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if told.get("model") == model and told.get("prompt") == _prompt_id():
            yield told["text"], list(told["events"])


def _lists(answer: str, count: int) -> list[list[str]] | None:
    """Return the lists of an answer, whatever stands around the JSON; None for another answer."""
    begin, end = answer.find("["), answer.rfind("]")
    try:
        found = json.loads(answer[begin : end + 1])
    except ValueError:
        return None
    if not isinstance(found, list) or len(found) != count:
        return None
    if not all(isinstance(each, list) and all(isinstance(x, str) for x in each) for each in found):
        return None
    return [[x.strip().lower() for x in each if x.strip()] for each in found]
