"""Journals read back for showing."""

from pathlib import Path

import pytest

from sharpen.core.errors import CorruptRecord, InvalidInput
from sharpen.view.runs import read_run
from tests.view.journals import FIVE, write_run


def test_reads_what_a_run_left_behind(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, FIVE[1], seed=3))
    assert (run.method, run.seed, len(run.points)) == ("bstar", 3, 9)
    assert run.finished().flops == pytest.approx(run.points[-1].flops)


def test_half_a_line_is_a_round_that_is_being_written(tmp_path: Path) -> None:
    folder = write_run(tmp_path, FIVE[1], seed=0)
    with (folder / "rounds.jsonl").open("a") as file:
        file.write('{"number": 10, "rou')
    assert len(read_run(folder).points) == 9


def test_an_unfinished_run_has_no_outcome_and_says_how_to_get_one(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, FIVE[0], seed=0, finished=False))
    with pytest.raises(InvalidInput, match="sharpen resume"):
        run.finished()


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"config\.toml"):
        read_run(tmp_path)


@pytest.mark.parametrize("name", ["config.toml", "rounds.jsonl", "result.json"])
def test_a_damaged_journal_is_named(tmp_path: Path, name: str) -> None:
    folder = write_run(tmp_path, FIVE[0], seed=0)
    (folder / name).write_text('{"half": \n')
    with pytest.raises(CorruptRecord, match=folder.name):
        read_run(folder)
