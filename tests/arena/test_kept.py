"""What a long check measures is kept: interrupted and gone on with, it measures nothing twice and says the same."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from sharpen.arena.kept import MEASURED, Kept
from sharpen.arena.ladders import Rung, rung
from sharpen.arena.preflight import gold_text
from sharpen.cli.checking import measured
from sharpen.core.archive import to_json
from sharpen.core.errors import CorruptRecord, InvalidInput
from sharpen.tasks.arithmetic import Arithmetic
from sharpen.tasks.ladder import Ladder, Sizes
from tests.arena.test_ladders import Voice

FACTS: dict[str, object] = {"weights": "w", "problems": 6, "machine": {"cores": 2}}
LEVELS = range(1, 5)


def climb(level: int, seen: list[int], dies: int = 0) -> Rung:
    if level == dies:
        raise KeyboardInterrupt
    seen.append(level)
    task = Ladder(Arithmetic(), levels=(level,), sizes=Sizes(1, 1, 6))
    problem = task.problems("test")[0]
    return rung(Voice("", {problem.chat[-1].text: gold_text(task, problem)}), task, 16)


def due(seen: list[int], dies: int = 0) -> Mapping[str, Callable[[], Rung]]:
    return {f"level {level}": partial(climb, level, seen, dies) for level in LEVELS}


def checked(folder: Path, seen: list[int], dies: int = 0) -> str:
    with Kept(folder, "toy", FACTS) as kept:
        found = measured(Console(stderr=True), kept, due(seen, dies), Rung)
    return json.dumps({name: to_json(one) for name, one in found.items()})


def test_an_interrupted_check_goes_on_and_says_what_a_whole_one_says(tmp_path: Path) -> None:
    seen: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        checked(tmp_path / "cut", seen, dies=3)
    assert seen == [1, 2]
    told = checked(tmp_path / "cut", seen)
    assert seen == [1, 2, 3, 4]
    whole: list[int] = []
    assert checked(tmp_path / "whole", whole) == told
    assert checked(tmp_path / "whole", whole) == told
    assert whole == [1, 2, 3, 4]


@pytest.mark.parametrize("changed", [{"weights": "v"}, {"problems": 7}, {"machine": {"cores": 4}}])
def test_other_facts_are_measured_anew(tmp_path: Path, changed: dict[str, object]) -> None:
    with Kept(tmp_path, "toy", FACTS) as kept:
        kept.write("level 1", climb(1, []))
    with Kept(tmp_path, "toy", FACTS | changed) as other:
        assert "level 1" not in other
    with Kept(tmp_path, "toy", FACTS) as again:
        assert again.read("level 1", Rung) == climb(1, [])


def test_a_line_that_was_being_written_is_dropped(tmp_path: Path) -> None:
    with Kept(tmp_path, "a/b c", FACTS) as kept:
        kept.write("level 1", climb(1, []))
        path = kept.folder / MEASURED
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:20])
    with Kept(tmp_path, "a/b c", FACTS) as kept:
        assert len(kept) == 1
    assert path.read_bytes() == whole


@pytest.mark.parametrize("line", [b"[1]\n", b"nonsense\n", b'{"name": "level 1"}\n'])
def test_what_no_check_wrote_is_refused(tmp_path: Path, line: bytes) -> None:
    with Kept(tmp_path, "toy", FACTS) as kept:
        path = kept.folder / MEASURED
    path.write_bytes(line)
    with pytest.raises(CorruptRecord, match="remove it"), Kept(tmp_path, "toy", FACTS):
        pass


def test_a_record_of_another_form_is_refused(tmp_path: Path) -> None:
    with Kept(tmp_path, "toy", FACTS) as kept:
        (kept.folder / MEASURED).write_text('{"name": "level 1", "record": {"score": 1.0}}\n')
    with Kept(tmp_path, "toy", FACTS) as kept, pytest.raises(CorruptRecord, match="level 1"):
        kept.read("level 1", Rung)


def test_two_do_not_write_at_once(tmp_path: Path) -> None:
    with Kept(tmp_path, "toy", FACTS), pytest.raises(InvalidInput, match="alone"), Kept(tmp_path, "toy", FACTS):
        pass
