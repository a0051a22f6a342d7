"""``hsmtss data tags``: unified event tags for the clips of a prepared set."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.options import argument
from hsmtss_jax.cli.progress import progress_bar
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.data.tagging.llm import LanguageModelTagger


@dataclasses.dataclass(frozen=True, kw_only=True)
class TagOptions:
    """Declare the command line of ``hsmtss data tags``."""

    root: Path = argument("folder of the prepared set", metavar="FOLDER")
    check: bool = option(False, "compare the rules with the set's own tags, and write nothing")
    show: int = option(20, "pairs of each kind that --check shows", low=0)
    llm: str = option(
        "", "ask the model of this server (OpenAI-compatible) instead of rules", metavar="URL"
    )
    model: str = option("", "its name", metavar="NAME", default_help="HSMTSS_LLM_MODEL")
    cache: Path | None = option(
        None, "answers of the model", metavar="FILE", default_help="FOLDER/tags_llm.jsonl"
    )


def run(options: TagOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.data.records import read_index
    from hsmtss_jax.data.tagging.apply import splits_of, tag_dataset, texts_of
    from hsmtss_jax.data.tagging.rules import RuleTagger

    rows = [row for split in splits_of(options.root) for row in read_index(options.root, split)]
    if options.check:
        return _check(options, rows)
    if not options.llm:
        tags = tag_dataset(options.root, RuleTagger())
    else:
        model = _language_model(options)
        with progress_bar(unit="caption") as progress:
            texts = {text for row in rows for text in texts_of(row)}
            for done in model.ask(sorted(texts)):
                progress(done, len(texts))
        tags = tag_dataset(options.root, model)
    print(f"{len(tags)} clips, {len({tag for each in tags.values() for tag in each})} tags")
    print(f"{options.root / 'tags.json'}, and the index, which pairs are drawn by")
    return 0


def _language_model(options: TagOptions) -> "LanguageModelTagger":
    from hsmtss_jax.data.tagging.llm import LanguageModelTagger
    from hsmtss_jax.instructions.endpoint import from_environment
    from hsmtss_jax.instructions.llm import NoAnswerError

    endpoint = from_environment(options.llm, options.model or None, timeout=120.0)

    def complete(messages: list[dict[str, str]]) -> str:
        try:
            return endpoint.complete(messages)
        except NoAnswerError as error:
            raise ValueError(f"{endpoint.url}: {error}; what was answered is kept") from None

    cache = options.cache or options.root / "tags_llm.jsonl"
    return LanguageModelTagger(complete, cache, endpoint.model)


def _check(options: TagOptions, rows: list[dict]) -> int:
    """Print precision and recall over pairs of labels, and failures."""
    from hsmtss_jax.data.tagging.rules import RuleTagger
    from hsmtss_jax.data.tagging.scoring import compare, kept_apart

    tagger = RuleTagger()
    score, unknown = compare(rows, tagger)
    same, other = kept_apart(rows, tagger)
    print(f"precision {score.precision:.3f}, recall {score.recall:.3f} over pairs of labels")
    print(f"{same:.3f} of pairs of captions of one label are kept apart")
    shown = (("missed", score.missed), ("needless", score.needless), ("of one label", other))
    for what, pairs in shown:
        print(f"{len(pairs)} pairs {what}:")
        step = max(1, len(pairs) // max(options.show, 1))
        for a, b in pairs[::step][: options.show]:
            print(f"  {a} | {b}")
    print(f"{len(unknown)} labels name no known sound: {', '.join(unknown[: options.show])}")
    return 0


COMMAND = Command(
    description="Tag every clip with the sounds that its captions name, in the vocabulary of AudioSet's "
    "ontology, with all that each is a kind of. Clips of which one names a sound of the other, or what it is "
    "a kind of, are never mixed. Rules, offline; or a language model, whose answers are kept and mapped to "
    "the same vocabulary.",
    epilog="example: hsmtss data tags corpora/audiocaps",
    options=TagOptions,
    run=run,
)
