"""An OpenAI-compatible endpoint against a server on this machine that behaves well and badly."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hsmtss_jax.instructions import Instruction, parser

TEXT = "Please remove the dog barking from the recording"
GOOD = '{"task": "remove", "description": "dog barking"}'


def completion(content) -> bytes:
    return json.dumps(
        {"choices": [{"message": {"role": "assistant", "content": content}}]}
    ).encode()


class Server(ThreadingHTTPServer):
    """replies: (status, body) in turn; None is a reply that does not come. requests: what was sent."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies, self.requests, self.released = [], [], threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), json.loads(body)))
        reply = self.server.replies.pop(0)
        if reply is None:
            self.server.released.wait(5)
            return
        status, body = reply
        self.send_response(status)
        if status == 307:
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    for variable in ("HSMTSS_LLM_URL", "HSMTSS_LLM_MODEL", "HSMTSS_LLM_KEY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def ask(server, *replies, text=TEXT, **options):
    server.replies = list(replies)
    return parser("endpoint", **{"url": server.url, "model": "tiny", **options})(text)


def test_good_answer(server):
    found = ask(server, (200, completion(GOOD)), key="secret")
    assert found == Instruction("remove", "dog barking") and found.source == "endpoint"
    (path, headers, body) = server.requests[0]
    assert path == "/v1/chat/completions" and headers["Authorization"] == "Bearer secret"
    assert body["model"] == "tiny" and body["temperature"] == 0
    assert body["messages"][-1] == {"role": "user", "content": TEXT}


def test_environment(server, monkeypatch):
    monkeypatch.setenv("HSMTSS_LLM_URL", server.url + "/chat/completions")
    monkeypatch.setenv("HSMTSS_LLM_MODEL", "from-the-environment")
    server.replies = [(200, completion(GOOD))]
    assert parser("endpoint")(TEXT).source == "endpoint"
    (path, headers, body) = server.requests[0]
    assert path == "/v1/chat/completions" and "Authorization" not in headers
    assert body["model"] == "from-the-environment"


@pytest.mark.parametrize(
    "first",
    [(500, b"oops"), (429, b""), (200, completion("sorry")), (200, b"<html>"), (200, b'{"a": 1}')],
    ids=["500", "429", "prose", "no JSON", "no completion"],
)
def test_recovery_on_the_second_try(server, first):
    found = ask(server, first, (200, completion(GOOD)))
    assert found.source == "endpoint" and not found.note and len(server.requests) == 2


INVENTED = (200, completion('{"task": "remove", "description": "puppy barking"}'))


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        ([(500, b"")] * 2, "HTTP status 500"),
        ([(401, b"")], "HTTP status 401"),
        ([(307, b"")], "HTTP status 307"),
        ([INVENTED] * 2, "did not say: puppy"),
        ([(200, completion("{'task': 'remove'}"))] * 2, "not a JSON object"),
        ([(200, completion(None))] * 2, "holds no text"),
        ([(200, completion(GOOD)[:40])] * 2, "no chat completion"),
    ],
    ids=["500", "401", "redirect", "invented words", "bad JSON", "no text", "cut off"],
)
def test_fall_back(server, replies, reason):
    found = ask(server, *replies, key="secret")
    assert found == Instruction("remove", "dog barking") and found.source == "rules"
    assert reason in found.note and "secret" not in found.note
    assert len(server.requests) == len(replies)


def test_time_out(server):
    found = ask(server, None, None, timeout=0.1)
    assert found.source == "rules" and "no answer within 0.1 s" in found.note
    assert len(server.requests) == 2


def test_nobody_there(server):
    url = server.url
    server.shutdown()
    server.server_close()
    found = parser("endpoint", url=url, model="tiny", timeout=2)(TEXT)
    assert found.source == "rules" and "no connection" in found.note


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"timeout": 0}, "time-out must be positive"),
        ({"key": "a\nb"}, "HSMTSS_LLM_KEY"),
        ({"url": "localhost:80"}, "http or https"),
    ],
)
def test_bad_options(server, options, reason):
    with pytest.raises(ValueError, match=reason):
        ask(server, **options)
