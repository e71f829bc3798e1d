import errno
import json
import os
import resource
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow.dataset as ds
import pytest

from sharpen.arena.journal import Charged, Entry, Journal, run_folder, runs_below
from sharpen.core.budget import Spend
from sharpen.core.errors import CorruptRecord, InvalidInput, SharpenError
from sharpen.core.method import Round, Seat
from sharpen.core.records import Attempt, Judged, Piece, Problem, Stop, Turn, Verdict, Weights, user
from sharpen.core.tokens import Tokens, frozen_floats, frozen_ints

HERE = ("sharpen.", __name__)
CONFIG = {
    "task": "gym:leg_counting:size=10,seed=1",
    "model": "openai:tiny@http://localhost:8080/v1",
    "method": "bstar",
    "seed": 3,
    "budget": "3e13flops",
    "settings": {"temperatures": (0.5, 1.0), "training": {"rate": 1e-3, "steps": None}},
}


@dataclass(frozen=True, slots=True)
class State:
    weights: Weights
    round: int
    replay: tuple[Judged, ...] = ()


@dataclass(frozen=True, slots=True)
class Silent:
    weights: Weights

    def answer(self, seat: Seat, problems: Sequence[Problem]) -> list[Attempt]:
        return [Attempt(problem, (), self.weights, Stop.ERROR) for problem in problems]


def mark(name: str, score: float) -> Judged:
    chat = (user(f"{name}?"),)
    said = (
        Piece("é", Tokens(frozen_ints([1, 2]), "t"), frozen_floats([-0.1, -0.2]), drawn=frozen_floats([0, -1])),
        Piece("page", author="world"),
    )
    turns = (Turn(chat, said), Turn(chat, said[:1], 1))
    return Judged(
        Attempt(Problem(name, chat, "sums", 2.0, {"k": [1]}), turns, Weights("w", "nano")),
        Verdict(score, score > 0, (score,), "ok"),
    )


def entry(number: int) -> Entry:
    weights = Weights(f"w{number}", "nano")
    return Entry(
        number,
        Round(State(weights, number, (mark("r", 0.5),)), Silent(weights), {"kept": float(number)}),
        (Charged("model", "nano", Spend(sampled=10 * number), Spend(sampled=9 * number, seconds=0.5)),),
        1.5 * number,
        None if number == 1 else 0.25,
        (f"p{number}",),
    )


def marks(number: int) -> list[Judged]:
    return [mark(f"{number}a", 1.0), mark(f"{number}b", 0.0), Judged(mark("c", 0).attempt, Verdict(-1.0))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of three rounds, closed."""
    with Journal.create(tmp_path / "run", CONFIG, HERE) as journal:
        for number in (1, 2, 3):
            journal.write_round(entry(number), marks(number))
    return tmp_path / "run"


def test_a_journal_gives_back_what_was_written(folder: Path) -> None:
    journal = Journal.read(folder, HERE)
    assert list(journal.rounds()) == [entry(1), entry(2), entry(3)]
    assert journal.last_round() == entry(3)
    assert list(journal.attempts(2)) == marks(2)
    assert len(journal.attempts(9)) == 0
    assert journal.result() is None


def test_a_round_cut_anywhere_leaves_the_rounds_before_it(folder: Path) -> None:
    lines = folder / "rounds.jsonl"
    whole = lines.read_bytes()
    start = whole[:-1].rindex(b"\n") + 1
    for cut in range(start, len(whole)):
        lines.write_bytes(whole[:cut])
        if cut % 100 == 0:
            assert Journal.read(folder, HERE).last_round() == entry(2)
            assert lines.stat().st_size == cut  # looking changes nothing
        with Journal.open(folder, HERE) as journal:
            assert journal.last_round() == entry(2)
            assert lines.read_bytes() == whole[:start]
    with Journal.open(folder, HERE) as journal:
        journal.write_round(entry(3), marks(3))
    assert lines.read_bytes() == whole


def test_attempts_of_a_round_that_was_not_finished_are_dropped(folder: Path) -> None:
    parts = folder / "attempts.parquet"
    (parts / "round-0004.parquet").write_bytes(b"PAR1 torn")
    (parts / ".round-0004.parquet.draft").write_bytes(b"PAR1")
    assert Journal.read(folder, HERE).last_round() == entry(3)
    with Journal.open(folder, HERE) as journal:
        assert sorted(os.listdir(parts)) == [f"round-000{n}.parquet" for n in (1, 2, 3)]
        journal.write_round(entry(4))
        assert len(journal.attempts(4)) == 0


def test_torn_attempts_of_a_finished_round_are_named(folder: Path) -> None:
    part = folder / "attempts.parquet" / "round-0002.parquet"
    part.write_bytes(part.read_bytes()[:-20])
    journal = Journal.read(folder, HERE)
    with pytest.raises(CorruptRecord, match=r"round-0002.parquet is not a whole file of attempts"):
        journal.attempts(2)
    assert list(journal.attempts(3)) == marks(3)


def test_damaged_attempts_of_a_finished_round_are_named(folder: Path) -> None:
    part = folder / "attempts.parquet" / "round-0002.parquet"
    whole = part.read_bytes()
    part.write_bytes(whole[:4] + b"\xff" * 400 + whole[404:])
    with pytest.raises(CorruptRecord, match=r"round-0002.parquet is not a whole file of attempts"):
        Journal.read(folder, HERE).attempts(2)


def test_any_reader_of_parquet_understands_all_attempts_as_one_table(folder: Path) -> None:
    rows = ds.dataset(folder / "attempts.parquet").to_table().to_pylist()
    assert [row["round"] for row in rows] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert [row["right"] for row in rows[:3]] == [True, False, None]
    assert rows[0]["problem"] == "1a" and rows[0]["score"] == 1.0 and rows[0]["steps"] == [1.0]
    assert rows[0]["turns"][0]["said"][0]["text"] == "é"
    assert rows[0]["turns"][0]["said"][0]["tokens"] == [1, 2]
    assert rows[0]["turns"][0]["said"][1]["tokens"] is None
    assert rows[0]["turns"][0]["said"][1]["author"] == "world"
    assert json.loads(rows[0]["turns"][1]["seen"])[0]["text"] == "1a?"


def test_the_config_says_all_that_determines_the_run(folder: Path) -> None:
    config = tomllib.loads((folder / "config.toml").read_text())
    assert config["task"] == CONFIG["task"] and config["seed"] == 3
    assert config["settings"] == {"temperatures": [0.5, 1.0], "training": {"rate": 1e-3}}
    assert set(config) == {*CONFIG, "version", "commit", "machine"}
    Journal.read(folder).check_config(CONFIG)


def test_a_changed_config_is_refused_with_what_changed(folder: Path) -> None:
    changed = CONFIG | {
        "seed": 4,
        "extra": "x",
        "settings": {"temperatures": (0.5,), "training": {"rate": 1e-3, "steps": 5}},
    }
    with pytest.raises(InvalidInput) as caught:
        Journal.read(folder).check_config(changed)
    for change in (
        "extra: not set -> 'x'",
        "seed: 3 -> 4",
        "settings.temperatures: [0.5, 1.0] -> [0.5]",
        "settings.training.steps: not set -> 5",
    ):
        assert change in str(caught.value)
    assert "rate" not in str(caught.value)


def test_another_version_is_refused_and_another_machine_is_not(folder: Path) -> None:
    path = folder / "config.toml"
    text = path.read_text()
    path.write_text(text.replace('system = "', 'system = "Other '))
    Journal.read(folder).check_config(CONFIG)
    path.write_text(text.replace('version = "', 'version = "0.0.', 1))
    with pytest.raises(InvalidInput, match=r"version: '0\.0\."):
        Journal.read(folder).check_config(CONFIG)


def test_a_config_that_toml_cannot_say_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"config.odd must be made of numbers"):
        Journal.create(tmp_path / "run", CONFIG | {"odd": [object()]})


def test_rounds_are_written_in_order_and_once(folder: Path) -> None:
    with Journal.open(folder, HERE) as journal:
        for number in (3, 5):
            with pytest.raises(InvalidInput, match=f"expected round 4 of run, got round {number}"):
                journal.write_round(entry(number))


def test_a_round_that_could_not_be_read_back_is_not_written(folder: Path) -> None:
    before = (folder / "rounds.jsonl").read_bytes()
    with (
        Journal.open(folder, ("sharpen.",)) as journal,
        pytest.raises(CorruptRecord, match="name its module to allow it"),
    ):
        journal.write_round(entry(4))
    assert (folder / "rounds.jsonl").read_bytes() == before


def test_a_damaged_line_is_named(folder: Path) -> None:
    lines = folder / "rounds.jsonl"
    first, second, third = lines.read_text().splitlines()
    lines.write_text("\n".join([first, second.replace('"dev"', '"def"'), third, ""]))
    with pytest.raises(CorruptRecord, match=r"rounds.jsonl, line 2: Entry: unknown field 'def'; did you mean 'dev'"):
        list(Journal.read(folder, HERE).rounds())
    lines.write_text("\n".join([first, third, ""]))
    with pytest.raises(CorruptRecord, match=r"line 2: expected round 2, got 3"):
        Journal.read(folder, HERE).last_round()
    lines.write_text("{]\n")
    with pytest.raises(CorruptRecord, match=r"rounds.jsonl, line 1: "):
        Journal.read(folder, HERE).last_round()


def test_a_run_has_one_writer(folder: Path) -> None:
    with Journal.open(folder, HERE):
        with pytest.raises(InvalidInput, match=f"got process {os.getpid()} writing to it"):
            Journal.open(folder, HERE)
        assert Journal.read(folder, HERE).last_round() == entry(3)
    Journal.open(folder, HERE).close()
    with pytest.raises(InvalidInput, match="opened for reading"):
        Journal.read(folder, HERE).write_round(entry(4))


def test_a_killed_writer_leaves_no_lock(folder: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from sharpen.arena.journal import Journal\n"
        "journal = Journal.open(Path(sys.argv[1])); print('ready', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
        with pytest.raises(InvalidInput, match=f"process {child.pid}"):
            Journal.open(folder, HERE)
        child.send_signal(signal.SIGKILL)
        child.wait()
    Journal.open(folder, HERE).close()


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes: what a full disk looks like from inside."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full_costs_only_the_open_round(folder: Path) -> None:
    lines = folder / "rounds.jsonl"
    before = lines.read_bytes()
    with Journal.open(folder, HERE) as journal:
        for size, attempts in ((len(before) + 40, ()), (100, marks(4))):  # in the middle of the line, of the attempts
            with (
                largest_file(size),
                pytest.raises(SharpenError, match=f"could not write round 4 of .*{os.strerror(errno.EFBIG)}"),
            ):
                journal.write_round(entry(4), attempts)
            assert lines.read_bytes() == before
            assert not list((folder / "attempts.parquet").glob("*0004*"))
            assert list(journal.rounds()) == [entry(1), entry(2), entry(3)]
        journal.write_round(entry(4), marks(4))
        assert journal.last_round() == entry(4)


def test_no_space_left_is_said_in_a_sentence(folder: Path) -> None:
    lines = folder / "rounds.jsonl"
    with Journal.open(folder, HERE) as journal:
        lines.unlink()
        lines.symlink_to("/dev/full")
        with pytest.raises(SharpenError, match=r"No space left on device; .* make room and resume"):
            journal.write_round(entry(4))


def test_the_result_is_written_whole_and_keeps_what_is_not_finite(folder: Path) -> None:
    with Journal.open(folder, HERE) as journal:
        journal.write_result({"score": 0.5, "p": float("nan"), "rounds": [1, float("inf")]})
        assert journal.result() == {"score": 0.5, "p": "nan", "rounds": [1, "inf"]}
        with largest_file(20), pytest.raises(SharpenError, match="could not write the result"):
            journal.write_result({"score": 0.75, "note": "x" * 100})
        assert journal.result() == {"score": 0.5, "p": "nan", "rounds": [1, "inf"]}


def test_a_folder_name_is_safe_and_tells_configs_apart(tmp_path: Path) -> None:
    path = run_folder(tmp_path, CONFIG)
    assert path.parent == tmp_path
    assert path.name.startswith("gym-leg_counting-size-10-seed-1--openai-tiny-http-localhost-8080-v1--bstar--3-")
    assert run_folder(tmp_path, CONFIG | {"version": "9", "commit": "x", "machine": {}}) == path
    assert run_folder(tmp_path, CONFIG | {"budget": "4e13flops"}) != path
    hostile = run_folder(tmp_path, CONFIG | {"task": "../../../etc/" + "x" * 300, "model": ".."})
    assert hostile.parent == tmp_path and len(hostile.name) < 200 and not hostile.name.startswith(".")


def test_a_run_is_begun_once(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"expected no run in .* resume it"):
        Journal.create(folder, CONFIG)
    with pytest.raises(InvalidInput, match=r"expected the folder of a run, got .*nowhere"):
        Journal.open(tmp_path / "nowhere")
    Journal.open(folder, HERE).close()  # what failed left no lock


def test_runs_are_found_below_a_folder(folder: Path, tmp_path: Path) -> None:
    Journal.create(tmp_path / "deeper" / "b", CONFIG).close()
    assert runs_below(tmp_path) == [tmp_path / "deeper" / "b", folder]
    assert runs_below(folder) == [folder]
    assert runs_below(tmp_path / "nothing") == []
