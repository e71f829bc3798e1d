"""A real HTTP server that fails as told, and a model on it."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sharpen.core.budget import Spend
from sharpen.core.errors import InvalidInput, LacksNeed, ServerFailed
from sharpen.core.records import Finish, Message, Sampling, user
from sharpen.models.remote import RemoteModel
from sharpen.models.server import Server


class Desk:
    """What the server is to answer, in order; then it echoes. Remembers what it was asked."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.asked: list[dict[str, Any]] = []
        self.busy = 0
        self.busiest = 0
        self.lock = threading.Lock()
        self.logprobs = True
        self.refuses: Callable[[dict[str, Any]], bool] = lambda body: False
        self.url = ""


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with desk.lock:
                desk.asked.append(body)
                desk.busy += 1
                desk.busiest = max(desk.busiest, desk.busy)
                status = desk.statuses.pop(0) if desk.statuses else 400 if desk.refuses(body) else 200
            answer = self.answer(body) if status == 200 else {"error": "not now"}
            data = json.dumps(answer).encode()
            with desk.lock:
                desk.busy -= 1
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "7")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def answer(self, body: dict[str, Any]) -> dict[str, Any]:
            text = body.get("prompt") or body["messages"][-1]["content"]
            given = desk.logprobs and body.get("logprobs")
            choice: dict[str, Any] = {"finish_reason": "stop"}
            if "messages" in body:
                choice["message"] = {"content": text}
                choice["logprobs"] = {"content": [{"token": text, "logprob": -0.5}]} if given else None
            else:
                choice["text"] = text
                choice["logprobs"] = {"tokens": [text], "token_logprobs": [-0.25]} if given else None
            return {"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}

        def log_message(self, *parts: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    desk.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield desk
    server.shutdown()
    server.server_close()


def asked_of(desk: Desk, waits: list[float] | None = None) -> RemoteModel:
    sleep = (waits if waits is not None else []).append
    return RemoteModel("m", Server(desk.url, key="secret", concurrency=3, tries=3, timeout=5, sleep=sleep))


def test_answers_come_in_order_with_their_log_probabilities(desk: Desk) -> None:
    model = asked_of(desk)
    said = model.at(model.base).sample([(user(str(i)),) for i in range(9)], Sampling(n=2))
    assert [[completion.text for completion in group] for group in said] == [[str(i)] * 2 for i in range(9)]
    assert said[0][0].finish is Finish.END and said[0][0].piece.likelihood.tolist() == [-0.5]
    assert desk.busiest <= 3


def test_raw_text_goes_without_a_chat(desk: Desk) -> None:
    model = asked_of(desk)
    said = model.at(model.base).sample([(Message("text", "once"),)], Sampling(stop=(".",)))
    assert said[0][0].text == "once" and desk.asked[-1]["prompt"] == "once" and desk.asked[-1]["stop"] == ["."]


def test_what_may_pass_is_tried_again_after_a_growing_wait(desk: Desk) -> None:
    waits: list[float] = []
    desk.statuses = [503, 429, 200]
    assert Server(desk.url, tries=3, sleep=waits.append).post("completions", [{"prompt": "x"}])[0]["choices"]
    assert 0.3 < waits[0] < 0.7 and waits[1] == 7.0


@pytest.mark.parametrize(("statuses", "status"), [([500, 500, 500], "500"), ([404], "404"), ([401], "401")])
def test_what_does_not_pass_names_the_url_and_the_status(desk: Desk, statuses: list[int], status: str) -> None:
    desk.statuses = list(statuses)
    with pytest.raises(ServerFailed, match=rf"{desk.url}/completions answered {status}"):
        asked_of(desk).server.post("completions", [{"prompt": "x"}])
    assert len(desk.asked) == len(statuses)


def test_a_server_that_is_not_there_ends_in_one_sentence() -> None:
    with pytest.raises(ServerFailed, match="did not answer"):
        Server("http://127.0.0.1:9/v1", tries=2, sleep=lambda _: None).post("completions", [{"prompt": "x"}])


def test_tokens_are_billed_each_prompt_once_per_call(desk: Desk) -> None:
    bills: list[tuple[Spend, Spend]] = []
    model = asked_of(desk).bind(lambda work, paid: bills.append((work, paid)))
    model.at(model.base).sample([(user("a"),), (user("b"),)], Sampling(n=4))
    assert bills[-1] == (Spend(read=6, sampled=8), Spend(read=24, sampled=8))


def test_seeds_follow_the_chat_and_not_its_company(desk: Desk) -> None:
    model = asked_of(desk)
    policy = model.at(model.base, (1, "x"))
    policy.sample([(user("a"),), (user("b"),), (user("a"),)], Sampling())
    together = {(b["messages"][0]["content"], b["seed"]) for b in desk.asked if "seed" in b}
    desk.asked.clear()
    policy.sample([(user("b"),)], Sampling())
    assert {(b["messages"][0]["content"], b["seed"]) for b in desk.asked} < together and len(together) == 3


def test_it_offers_log_probabilities_only_where_the_server_does(desk: Desk) -> None:
    assert asked_of(desk).offers == {"sample", "logprobs"}
    desk.logprobs = False
    silent = asked_of(desk)
    assert silent.offers == {"sample"}
    assert silent.at(silent.base).sample([(user("a"),)], Sampling())[0][0].piece.logprobs is None


@pytest.mark.parametrize(
    ("refuses", "offers"),
    [
        (lambda body: "prompt" in body, {"sample", "logprobs"}),
        (lambda body: "messages" in body, {"sample", "logprobs"}),
        (lambda body: "logprobs" in body, {"sample"}),
        (lambda body: "prompt" in body or "logprobs" in body, {"sample"}),
    ],
    ids=["no raw text", "no chats", "no log-probabilities", "chats alone"],
)
def test_a_server_that_refuses_some_requests_is_asked_others(
    desk: Desk, refuses: Callable[[dict[str, Any]], bool], offers: set[str]
) -> None:
    desk.refuses = refuses
    assert asked_of(desk).offers == offers


@pytest.mark.parametrize("statuses", [[401], [400, 400, 400, 404]])
def test_a_server_that_answers_nothing_offers_nothing(desk: Desk, statuses: list[int]) -> None:
    desk.statuses = list(statuses)
    with pytest.raises(ServerFailed, match=f"answered {statuses[-1]}"):
        _ = asked_of(desk).offers
    assert len(desk.asked) == len(statuses)


def test_what_a_server_cannot_do_is_refused_in_a_sentence(desk: Desk) -> None:
    model = asked_of(desk)
    policy = model.at(model.base)
    for ask in (
        lambda: policy.logprobs([], []),
        lambda: policy.values([]),
        lambda: model.blend([]),
        lambda: model.encoder,
    ):
        with pytest.raises(LacksNeed, match="server"):
            ask()
    with pytest.raises(LacksNeed, match="begun answer"):
        policy.sample([(user("a"), Message("assistant", "b"))], Sampling())
    with pytest.raises(InvalidInput, match="no others"):
        model.at(replace(model.base, id="else"))
