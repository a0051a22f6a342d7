"""Create instruction parsers by name: rules, a local language model, an endpoint."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from hsmtss_jax.instructions import rules
from hsmtss_jax.instructions.endpoint import Endpoint, from_environment
from hsmtss_jax.instructions.instruction import Instruction
from hsmtss_jax.instructions.llm import Complete, ask
from hsmtss_jax.instructions.local_model import LocalModel

Parser = Callable[[str], Instruction]
PARSERS = ("rules", "local", "endpoint")


def parser(name: str = "rules", **options: Any) -> Parser:
    """Create a function from text to Instruction.

    - "rules": no option, no dependency.
    - "local": ``model``, a folder or a hub name, loaded through transformers (needs torch); or
      ``generate``, a function of your own from chat messages to an answer.
    - "endpoint": ``url``, ``model``, ``key``, ``timeout`` of an OpenAI-compatible server; without
      them, HSMTSS_LLM_URL, HSMTSS_LLM_MODEL and HSMTSS_LLM_KEY of the environment.

    Where a language model gives no valid answer the rules are used, and the instruction's ``source``
    and ``note`` say so.

    Raises:
      ValueError: an unknown name, or an option that is missing or wrong.
    """
    makers: dict[str, Callable[..., Parser]] = {
        "rules": _rules,
        "local": _local,
        "endpoint": _endpoint,
    }
    if name not in makers:
        raise ValueError(f"unknown instruction parser {name!r}: choose one of {', '.join(PARSERS)}")
    try:
        inspect.signature(makers[name]).bind(**options)
    except TypeError as error:
        raise ValueError(f"the instruction parser {name!r}: {error}") from error
    return makers[name](**options)


def _rules() -> Parser:
    return rules.parse


def _local(model: str | None = None, generate: Complete | None = None) -> Parser:
    if generate is None:
        if not model:
            raise ValueError("the local parser needs a model: a folder, or a name on the hub")
        generate = LocalModel(model).complete
    return functools.partial(_ask, generate, "local")


def _endpoint(
    url: str | None = None,
    model: str | None = None,
    key: str | None = None,
    timeout: float = Endpoint.timeout,
) -> Parser:
    endpoint = from_environment(url, model, key, timeout)
    return functools.partial(_ask, endpoint.complete, "endpoint")


def _ask(complete: Complete, source: str, text: str) -> Instruction:
    return ask(complete, text, source)
