"""Requests to an OpenAI-compatible server: so many at a time, tried again while it may help, and then one sentence."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx

from sharpen.core.errors import ServerFailed

PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed."""


LOCKED = frozenset({401, 403})
"""Statuses that no other request would change."""


class Refused(ServerFailed):
    """The server is there, but does not answer this request; another may do."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where to ask, and how patiently: `concurrency` requests at a time, each tried `tries` times with waits that
    double from `wait` seconds up to a minute (or as long as the server asks), each for at most `timeout` seconds."""

    url: str
    key: str | None = None
    concurrency: int = 8
    tries: int = 5
    timeout: float = 120.0
    wait: float = 0.5
    sleep: Callable[[float], None] = time.sleep

    def post(self, path: str, bodies: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The answers, in order; raises ServerFailed, naming URL and status, for the first that cannot be had: Refused
        where the server is there and might answer another request."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        with (
            httpx.Client(headers=headers, timeout=self.timeout) as client,
            ThreadPoolExecutor(max_workers=self.concurrency) as pool,
        ):
            waiting = [pool.submit(self._ask, client, f"{self.url.rstrip('/')}/{path}", body) for body in bodies]
            try:
                return [future.result() for future in waiting]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _ask(self, client: httpx.Client, url: str, body: dict[str, Any]) -> dict[str, Any]:
        jitter = Random(repr(body))
        kind = ServerFailed
        for attempt in range(1, self.tries + 1):
            pause = min(60.0, self.wait * 2 ** (attempt - 1)) * jitter.uniform(0.75, 1.25)
            try:
                response = client.post(url, json=body)
            except httpx.TransportError as failure:
                kind, trouble = ServerFailed, f"did not answer ({type(failure).__name__})"
            else:
                if response.is_success:
                    return _parsed(url, response)
                kind = ServerFailed if response.status_code in LOCKED else Refused
                trouble = f"answered {response.status_code}: {_words(response)}"
                if response.status_code not in PASSING:
                    raise kind(f"{url} {trouble}; check the model's name, the key and the URL")
                pause = max(pause, _asked_for(response))
            if attempt < self.tries:
                self.sleep(pause)
        raise kind(f"{url} {trouble}, {self.tries} times in a row; check that it runs, then resume")


def _parsed(url: str, response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not answer.get("choices"):
        raise ServerFailed(f"{url} was expected to answer JSON with choices, got {response.text[:120]!r}")
    return answer


def _words(response: httpx.Response) -> str:
    return " ".join(response.text.split())[:200] or response.reason_phrase


def _asked_for(response: httpx.Response) -> float:
    """Seconds the server asks to wait, at most a minute."""
    try:
        return min(60.0, float(response.headers.get("Retry-After", 0)))
    except ValueError:
        return 0.0
