"""Request chat completions over HTTP from OpenAI-compatible servers."""

import dataclasses
import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request

from hsmtss_jax.instructions.llm import Message, NoAnswerError

URL, MODEL, KEY = "HSMTSS_LLM_URL", "HSMTSS_LLM_MODEL", "HSMTSS_LLM_KEY"  # environment
_LARGEST = 1 << 20  # bytes of an answer that are read
_PATH = "/chat/completions"


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """Address an OpenAI-compatible server.

    Attributes:
      url: the base, e.g. "http://localhost:8080/v1".
      model: name of the model on the server.
      key: sent as a bearer token unless empty.
      timeout: for connecting and for each wait on the server [s].
    """

    url: str
    model: str
    key: str = dataclasses.field(default="", repr=False)
    timeout: float = 20.0

    def __post_init__(self) -> None:
        parts = urllib.parse.urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"the endpoint must be an http or https address, got {self.url!r}")
        if not self.model:
            raise ValueError(f"name the endpoint's model: an argument, or the variable {MODEL}")
        if not self.timeout > 0:
            raise ValueError(f"the time-out must be positive, got {self.timeout}")
        if any(ord(character) < 33 or ord(character) > 126 for character in self.key):
            raise ValueError(
                f"the key of the endpoint ({KEY}) holds blanks or other odd characters"
            )

    def complete(self, messages: list[Message]) -> str:
        """Request the model's answer at temperature 0.

        Raises:
          NoAnswerError: no connection, a time-out, a status other than 200, or a body without an answer.
        """
        try:
            with urllib.request.urlopen(self._request(messages), timeout=self.timeout) as response:
                body = response.read(_LARGEST)
        except urllib.error.HTTPError as error:
            error.close()
            again = error.code >= 500 or error.code in (408, 429)
            raise NoAnswerError(f"HTTP status {error.code}", again) from None
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswerError(self._reason(error), again=True) from None
        return _content(body)

    def _request(self, messages: list[Message]) -> urllib.request.Request:
        base = self.url.rstrip("/")
        address = base if base.endswith(_PATH) else base + _PATH
        body = {"model": self.model, "messages": messages, "temperature": 0, "stream": False}
        request = urllib.request.Request(address, json.dumps(body).encode(), method="POST")
        request.add_header("Content-Type", "application/json")
        if self.key:  # a redirect must not carry it to another host
            request.add_unredirected_header("Authorization", f"Bearer {self.key}")
        return request

    def _reason(self, error: Exception) -> str:
        cause = getattr(error, "reason", error)
        if isinstance(cause, TimeoutError):
            return f"no answer within {self.timeout:g} s"
        return f"no connection: {cause or type(error).__name__}"


def _content(body: bytes) -> str:
    """Read choices[0].message.content of a completion."""
    try:
        content = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise NoAnswerError("the server's reply is no chat completion", again=True) from None
    if not isinstance(content, str):
        raise NoAnswerError("the server's reply holds no text", again=True)
    return content


def from_environment(
    url: str | None = None,
    model: str | None = None,
    key: str | None = None,
    timeout: float = Endpoint.timeout,
) -> Endpoint:
    """Create an endpoint from arguments and, for those that are None, the environment.

    The variables are HSMTSS_LLM_URL, HSMTSS_LLM_MODEL and HSMTSS_LLM_KEY; only the key is optional.

    Raises:
      ValueError: no url or no model.
    """
    url = url or os.environ.get(URL, "")
    if not url:
        raise ValueError(
            f"name the endpoint's address: an argument, or {URL}=http://localhost:8080/v1"
        )
    model = model or os.environ.get(MODEL, "")
    return Endpoint(url, model, os.environ.get(KEY, "") if key is None else key, timeout)
