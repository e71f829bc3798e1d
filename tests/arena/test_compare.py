"""Methods side by side: one start, the same rows however they are carried out, and deaths that cost one run."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from sharpen.arena.compare import Row, compare, shared_start
from sharpen.arena.journal import number
from sharpen.arena.play import Progress
from sharpen.arena.setup import Order
from sharpen.core.budget import parse_budget
from sharpen.core.errors import CorruptRecord, InvalidInput, LacksNeed
from tests.arena.workshop import OPENERS, order

ORDERS = [order(method, "1e9flops", seed, rounds=6) for method in ("climb", "poll") for seed in (0, 1)]


def timeless(rows: tuple[Row, ...]) -> list[tuple[object, ...]]:
    """Rows without what a clock says."""
    return [(r.method, r.seeds, r.before, r.after, r.difference, r.adjusted, r.flops, r.rounds, r.runs) for r in rows]


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    compare(ORDERS, OPENERS, folder)
    return folder


def test_a_row_is_a_method_over_its_seeds(below: Path) -> None:
    climb, poll = compare(ORDERS, OPENERS, below).rows
    assert (climb.method, poll.method) == ("climb", "poll")
    assert climb.seeds == poll.seeds == (0, 1)
    assert climb.before == poll.before
    assert climb.difference.mean == pytest.approx(climb.after - climb.before)
    assert (climb.difference.over, climb.difference.n) == ("seeds", 2)
    assert climb.flops > 0 and climb.verdicts == 6 * 48 and 0 < climb.unspent < 1
    assert poll.flops == poll.labelled == 0 and poll.unspent == 1
    assert poll.inference_flops > climb.inference_flops


def test_p_values_are_corrected_over_the_methods(below: Path) -> None:
    rows = compare(ORDERS, OPENERS, below).rows
    for row in rows:
        assert row.adjusted is not None and row.difference.p is not None
        assert row.difference.p <= row.adjusted <= min(1.0, 2 * row.difference.p)


def test_finished_runs_are_read_and_not_played_again(below: Path) -> None:
    heard = list[Progress]()
    times = {file: file.stat().st_mtime_ns for file in below.rglob("*.json*")}
    compare(ORDERS, OPENERS, below, tell=heard.append)
    assert {news.doing for news in heard} == {"kept"} and len(heard) == len(ORDERS)
    assert {file: file.stat().st_mtime_ns for file in below.rglob("*.json*")} == times


def test_processes_give_the_same_rows(below: Path, tmp_path: Path) -> None:
    together = compare(ORDERS, OPENERS, tmp_path, jobs=2)
    assert together.failures == {} and not together.stopped
    assert timeless(together.rows) == timeless(compare(ORDERS, OPENERS, below).rows)


def test_a_killed_worker_costs_its_own_run_and_a_rerun_resumes(below: Path, tmp_path: Path) -> None:
    killed: list[str] = []

    def kill_one(where: Progress) -> None:
        """Of two processes, ends the one that has just told of its first round."""
        if not killed and where.round == 1 and "--climb--1" in where.run:
            killed.append(where.run)
            lock = int((tmp_path / where.run / "lock").read_text())
            os.kill(lock, signal.SIGKILL)

    died = compare(ORDERS, OPENERS, tmp_path, jobs=2, tell=kill_one)
    assert list(died.failures) == ["climb seed 1"]
    assert "ended by signal 9" in died.failures["climb seed 1"] and "resume" in died.failures["climb seed 1"]
    assert [row.seeds for row in died.rows] == [(0,), (0, 1)]
    again = compare(ORDERS, OPENERS, tmp_path, jobs=2)
    assert again.failures == {}
    assert timeless(again.rows) == timeless(compare(ORDERS, OPENERS, below).rows)


def test_an_interruption_keeps_what_there_is(tmp_path: Path) -> None:
    def interrupt(where: Progress) -> None:
        if where.doing == "rounds" and where.round == 1:
            raise KeyboardInterrupt

    stopped = compare(ORDERS, OPENERS, tmp_path, tell=interrupt)
    assert stopped.stopped
    assert [(row.method, row.seeds, row.rounds) for row in stopped.rows] == [("climb", (0,), 1)]


def test_an_interruption_before_the_first_round_is_no_failure(tmp_path: Path) -> None:
    def interrupt(where: Progress) -> None:
        raise KeyboardInterrupt

    stopped = compare(ORDERS[:1], OPENERS, tmp_path, tell=interrupt)
    assert stopped.stopped and stopped.failures == {} and stopped.rows == ()


def test_processes_that_are_interrupted_before_their_first_round_have_not_failed(tmp_path: Path) -> None:
    def interrupt(where: Progress) -> None:
        raise KeyboardInterrupt

    stopped = compare(ORDERS[:1], OPENERS, tmp_path, jobs=2, tell=interrupt)
    assert stopped.stopped and stopped.failures == {}


def test_the_start_is_examined_anew_where_the_code_or_the_asking_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = order()
    shared_start(OPENERS.open(placed), tmp_path)
    shared_start(OPENERS.open(order("poll")), tmp_path)
    assert len(list(tmp_path.glob("start-*.json"))) == 1
    shared_start(OPENERS.open(replace(placed, asking={"mute": False})), tmp_path)
    assert len(list(tmp_path.glob("start-*.json"))) == 2
    monkeypatch.setattr("sharpen.arena.compare.code_digest", lambda: "other")
    shared_start(OPENERS.open(placed), tmp_path)
    assert len(list(tmp_path.glob("start-*.json"))) == 3


def test_a_failing_run_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    small = [order("climb", "1e6flops"), order("poll", "1e6flops")]
    found = compare(small, OPENERS, tmp_path)
    assert [row.method for row in found.rows] == ["poll"]
    assert "too small for one round" in found.failures["climb seed 0"]


def test_what_cannot_work_is_refused_before_anything_is_spent(tmp_path: Path) -> None:
    mute = {"mute": True}
    orders = [
        Order(method, "toy", {"model": "linear"}, parse_budget("1e8flops"), asking=mute)
        for method in ("poll", "listen")
    ]
    with pytest.raises(LacksNeed, match="listen"):
        compare(orders, OPENERS, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_orders_that_differ_in_more_than_method_and_seed_are_not_compared(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="one budget"):
        compare([order(), order("poll", "1e6flops")], OPENERS, tmp_path)


def test_a_start_that_does_not_read_back_is_named(tmp_path: Path) -> None:
    shared_start(OPENERS.open(order()), tmp_path)
    (file,) = tmp_path.glob("start-*.json")
    file.write_text(file.read_text()[:40])
    with pytest.raises(CorruptRecord, match=r"start-.*delete"):
        shared_start(OPENERS.open(order()), tmp_path)


def test_a_number_that_is_not_there_is_named() -> None:
    with pytest.raises(CorruptRecord, match=r"spend\.flops"):
        number({"spend": {}}, "spend", "flops")
