"""A run that is killed at any moment goes on to the same states, metrics, spends and weights."""

import json
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from multiprocessing.process import BaseProcess
from pathlib import Path
from shutil import copytree
from time import sleep

import pytest

from sharpen.core.streams import stream
from tests.arena.workshop import CLEAN, carried_out, one_thread, order, run_slowly

METHODS = ("bstar", "grpo")


@pytest.fixture(scope="module", params=METHODS)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A method, and the folder of its run that nobody interrupted, in a process of its own."""
    one_thread()
    below = tmp_path_factory.mktemp("whole")
    process = _begun(below, request.param)
    process.join()
    assert process.exitcode == 0
    return request.param, below


def test_three_kills_change_nothing(whole: tuple[str, Path], tmp_path: Path) -> None:
    _kills_change_nothing(whole, tmp_path, 3)


@pytest.mark.slow
def test_thirty_kills_change_nothing(whole: tuple[str, Path], tmp_path: Path) -> None:
    _kills_change_nothing(whole, tmp_path, 30)


def _kills_change_nothing(whole: tuple[str, Path], tmp_path: Path, kills: int) -> None:
    method, uninterrupted = whole
    rng = stream("kill", method, kills)
    unfinished = 0
    for _ in range(kills):
        process = _begun(tmp_path, method)
        _wait_for_work(tmp_path, process)
        process.join(rng.random() * 0.25)
        process.kill()
        process.join()
        unfinished += not list(tmp_path.rglob("result.json"))
    carried_out(tmp_path, order(method))
    assert unfinished, "every kill came too late to interrupt anything"
    assert _told(tmp_path) == _told(uninterrupted)
    assert _bytes(tmp_path) == _bytes(uninterrupted)


def test_what_was_being_written_when_the_process_died_is_dropped(whole: tuple[str, Path], tmp_path: Path) -> None:
    """The moments a kill rarely meets: half a line, weights and attempts of a round that has no line."""
    method, uninterrupted = whole
    torn = tmp_path / "torn"
    copytree(uninterrupted, torn)
    (run,) = (file.parent for file in torn.rglob("rounds.jsonl"))
    (run / "result.json").unlink()
    lines = (run / "rounds.jsonl").read_bytes().splitlines(keepends=True)
    (run / "rounds.jsonl").write_bytes(b"".join(lines) + lines[-1][: len(lines[-1]) // 2])
    (run / "weights" / "model" / "linear-0--stray.safetensors.partial").write_bytes(b"half")
    carried_out(torn, order(method))
    assert _told(torn) == _told(uninterrupted)


def _begun(below: Path, method: str) -> BaseProcess:
    process = CLEAN.Process(target=run_slowly, args=(str(below), method, 0))
    process.start()
    return process


def _wait_for_work(below: Path, process: BaseProcess) -> None:
    """Until a round has been written since now (the imports are not what is to be interrupted), or all is over."""
    before = _size(below)
    while process.is_alive() and _size(below) == before:
        sleep(0.002)


def _size(below: Path) -> int:
    return sum(file.stat().st_size for file in below.rglob("rounds.jsonl"))


def _told(below: Path) -> list[Mapping[str, object]]:
    """Rounds and result, without what clocks and caches decide."""
    (rounds,) = below.rglob("rounds.jsonl")
    (result,) = below.rglob("result.json")
    lines = [json.loads(line) for line in rounds.read_text().splitlines()]
    final = json.loads(result.read_text())
    exams = {when: {k: v for k, v in final["exam"][when].items() if k != "inference"} for when in ("before", "after")}
    last = {"scores": final["scores"], "exams": exams, "work": final["spend"]["work"], "ended": final["ended"]}
    return [*(dict(_timeless(line)) for line in lines), last]


def _timeless(line: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in line.items():
        if key == "spent" and isinstance(value, list):
            yield key, [(charged["role"], charged["body"], charged["work"]) for charged in value]
        elif key != "seconds":
            yield key, value


def _bytes(below: Path) -> dict[str, str]:
    """What the files of weights and attempts hold, by name."""
    files = [*below.rglob("*.safetensors"), *below.rglob("*.parquet/*")]
    return {file.name: blake2b(file.read_bytes(), digest_size=8).hexdigest() for file in sorted(files)}
