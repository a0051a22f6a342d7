"""Run a local causal language model through transformers (needs the ``torch`` extra)."""

import importlib.util
from typing import Any

from hsmtss_jax.instructions.llm import Message, NoAnswerError

_ROLES = {"system": "", "user": "Request: ", "assistant": "Answer: "}


class LocalModel:
    """Hold a language model and its tokenizer, from a folder or the model hub. Greedy decoding."""

    def __init__(self, model: str, new_tokens: int = 160) -> None:
        """Load the model. ValueError: torch or transformers is missing, or there is no such model.

        new_tokens: length of an answer at most.
        """
        for package in ("torch", "transformers"):
            if importlib.util.find_spec(package) is None:
                raise ValueError(
                    f"a local language model needs {package}: pip install 'hsmtss-jax[torch]'"
                )
        from transformers import AutoModelForCausalLM, AutoTokenizer

        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(model)
            loaded = AutoModelForCausalLM.from_pretrained(model, use_safetensors=True)
            self._model: Any = loaded.eval()
            self._new_tokens = new_tokens
        except (OSError, ValueError, KeyError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ValueError(f"cannot load the language model {model!r}: {reason}") from error

    def complete(self, messages: list[Message]) -> str:
        """Generate the answer. NoAnswerError: the conversation does not fit, or generation fails."""
        inputs = chat_tokens(self._tokenizer, messages)
        length = inputs["input_ids"].shape[1]
        capacity = getattr(self._model.config, "max_position_embeddings", None)
        if capacity is not None and length + self._new_tokens > capacity:
            need = length + self._new_tokens
            raise NoAnswerError(
                f"the model has room for {capacity} tokens, not for {need}", again=False
            )
        options = {"max_new_tokens": self._new_tokens, "do_sample": False}
        padding = self._tokenizer.pad_token_id
        options["pad_token_id"] = self._tokenizer.eos_token_id if padding is None else padding
        try:
            tokens = self._model.generate(**inputs, **options)
        except (RuntimeError, ValueError, IndexError) as error:
            raise NoAnswerError(f"generation failed: {error}", again=False) from error
        return str(self._tokenizer.decode(tokens[0, length:], skip_special_tokens=True))


def chat_tokens(tokenizer: Any, messages: list[Message]) -> Any:
    """Tokenise the conversation in the model's chat format, or as plain text if it has none."""
    if tokenizer.chat_template:
        return tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_dict=True, return_tensors="pt"
        )
    lines = [_ROLES[message["role"]] + message["content"] for message in messages]
    return tokenizer("\n\n".join([*lines, "Answer:"]), return_tensors="pt")
