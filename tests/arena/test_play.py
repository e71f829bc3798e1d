"""A run: what ends it, what it leaves behind, and what it is charged for."""

import json
from contextlib import suppress
from pathlib import Path

import pytest

from sharpen.arena.code import Made
from sharpen.arena.journal import Journal
from sharpen.arena.play import Progress, look_again, play, resume, unheard
from sharpen.arena.setup import Order, Setup, order_of
from sharpen.core.budget import Spend, parse_budget
from sharpen.core.errors import InvalidInput, LacksNeed
from sharpen.core.records import Json
from tests.arena.workshop import OPENERS, carried_out, order


def journal_of(folder: Path) -> Journal:
    return Journal.read(folder, OPENERS.allowed)


def test_a_budget_ends_the_run_at_its_last_finished_round(tmp_path: Path) -> None:
    result = carried_out(tmp_path, order())
    journal = journal_of(tmp_path / str(result["run"]))
    rounds = list(journal.rounds())
    work = sum((charged.work for charged in rounds[-1].spent), Spend())
    spend = result["spend"]
    assert result["ended"] == "budget" and result["rounds"] == len(rounds) >= 3
    assert isinstance(spend, dict) and spend["flops"] == work.flops <= parse_budget("6e8flops").amount
    assert spend["unspent"] == pytest.approx(1 - work.flops / 6e8)
    assert all(0 <= (entry.dev or 0) <= 1 for entry in rounds)


def test_training_helps_on_held_out_problems_and_says_so_with_an_interval(tmp_path: Path) -> None:
    result = carried_out(tmp_path, order(budget="1e9flops"))
    exam = result["exam"]
    assert isinstance(exam, dict)
    assert exam["after"]["score"] > exam["before"]["score"] + 0.2
    assert exam["difference"]["low"] > 0


def test_result_json_has_what_was_promised(tmp_path: Path) -> None:
    result = carried_out(tmp_path, order(rounds=1))
    written = json.loads((tmp_path / str(result["run"]) / "result.json").read_text())
    assert {"method", "task", "model", "seed", "budget", "spend", "exam", "rounds", "looks"} <= set(written)
    assert {"work", "paid", "flops", "seconds"} <= set(written["spend"])
    assert set(written["exam"]["difference"]) >= {"mean", "low", "high"}
    for when in ("before", "after"):
        assert set(written["exam"][when]) == {"score", "low", "high", "n", "measures", "inference"}
    assert written["ended"] == "rounds" and written["looks"] == 1


def test_every_verdict_given_is_in_the_journal(tmp_path: Path) -> None:
    result = carried_out(tmp_path, order(rounds=3))
    journal = journal_of(tmp_path / str(result["run"]))
    spend = result["spend"]
    assert isinstance(spend, dict)
    marks = [mark for number in (1, 2, 3) for mark in journal.attempts(number)]
    assert len(marks) == spend["work"]["verdicts"] == 3 * 48
    assert len({mark.attempt.problem.id for mark in marks}) == spend["work"]["labelled"]
    assert all(mark.verdict.right is not None for mark in marks)
    assert sum(mark.attempt.length for mark in marks) == pytest.approx(spend["work"]["sampled"], rel=0.01)


def test_exams_are_not_billed(tmp_path: Path) -> None:
    poll = carried_out(tmp_path, order("poll"))
    spend, exam = poll["spend"], poll["exam"]
    assert isinstance(spend, dict) and isinstance(exam, dict)
    assert poll["ended"] == "finished"
    assert spend["flops"] == spend["work"]["verdicts"] == spend["work"]["labelled"] == 0
    assert exam["after"]["inference"]["sampled"] > 4 * exam["before"]["inference"]["sampled"]


def test_a_finished_run_is_not_examined_again(tmp_path: Path) -> None:
    first = carried_out(tmp_path, order(rounds=2))
    file = tmp_path / str(first["run"]) / "result.json"
    written = file.stat().st_mtime_ns
    assert carried_out(tmp_path, order(rounds=2)) == first
    assert file.stat().st_mtime_ns == written


def test_an_interruption_keeps_what_is_finished_and_the_second_look_is_counted(tmp_path: Path) -> None:
    placed = order(rounds=4)
    setup = OPENERS.open(placed)

    def interrupt(where: Progress) -> None:
        if where.doing == "rounds" and where.round == 2:
            raise KeyboardInterrupt

    with Journal.create(tmp_path / "run", setup.facts(), OPENERS.allowed) as journal:
        stopped = play(setup, journal, interrupt)
        assert (stopped["ended"], stopped["rounds"], stopped["looks"]) == ("stopped", 2, 1)
        resumed = play(OPENERS.open(placed), journal)
        assert (resumed["ended"], resumed["rounds"], resumed["looks"]) == ("rounds", 4, 2)
    whole = carried_out(tmp_path / "whole", placed)
    assert resumed["scores"] == whole["scores"]


def test_a_run_notes_every_code_that_it_was_carried_on_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    placed, codes = order(rounds=3), iter(["b", "b", "a"])
    setup = OPENERS.open(placed)
    begun = setup.made

    def interrupt(where: Progress) -> None:
        if where.doing == "rounds":
            raise KeyboardInterrupt

    with Journal.create(tmp_path / "run", setup.facts(), OPENERS.allowed) as journal:
        assert journal.made() == (begun,)
        for code in codes:
            monkeypatch.setattr(Setup, "made", Made("0.1.0", f"commit {code}", code))
            with suppress(KeyboardInterrupt):
                play(setup, journal, unheard if code == "a" else interrupt)
        later = [Made("0.1.0", "commit b", "b"), Made("0.1.0", "commit a", "a")]
        assert journal.made() == (begun, *later)
        monkeypatch.setattr(Setup, "made", Made("0.1.0", "commit c", "c"))
        play(setup, journal)
        assert journal.made() == (begun, *later)  # a finished run is only read


def test_another_look_is_counted_and_sees_the_same(tmp_path: Path) -> None:
    first = carried_out(tmp_path, order(rounds=2))
    again = look_again(tmp_path / str(first["run"]), OPENERS)
    assert (first["looks"], again["looks"]) == (1, 2)
    assert again["scores"] == first["scores"] and again["spend"] == first["spend"]


def test_a_folder_is_all_it_takes_to_resume(tmp_path: Path) -> None:
    first = carried_out(tmp_path, order(rounds=2))
    moved = (tmp_path / str(first["run"])).rename(tmp_path / "elsewhere")
    (moved / "result.json").unlink()
    with pytest.raises(InvalidInput, match="resume it first"):
        look_again(moved, OPENERS)
    again = resume(moved, OPENERS)
    assert again["scores"] == first["scores"] and again["rounds"] == 2


def test_an_interruption_before_the_first_round_is_one_and_the_run_can_be_gone_on_with(tmp_path: Path) -> None:
    setup = OPENERS.open(order())

    def interrupt(where: Progress) -> None:
        if where.doing == "rounds":
            raise KeyboardInterrupt

    with (
        Journal.create(tmp_path / "run", setup.facts(), OPENERS.allowed) as journal,
        pytest.raises(KeyboardInterrupt),
    ):
        play(setup, journal, interrupt)
    assert resume(tmp_path / "run", OPENERS)["ended"] == "budget"


@pytest.mark.parametrize("budget", ["1e6flops", "20tok"])
def test_a_budget_too_small_for_one_round_says_what_one_needs(tmp_path: Path, budget: str) -> None:
    with pytest.raises(InvalidInput, match="too small for one round of climb, which needs about") as refusal:
        carried_out(tmp_path, order(budget=budget))
    need = str(refusal.value).partition("needs about ")[2].partition(";")[0]
    enough = parse_budget(need)
    carried_out(tmp_path, order(budget=f"{1.5 * enough.amount}{'tok' if 'tok' in need else 'flops'}"))


def test_a_budget_in_seconds_ends_the_run_in_time(tmp_path: Path) -> None:
    result = carried_out(tmp_path, order(budget="1s"))
    spend, rounds = result["spend"], result["rounds"]
    assert isinstance(spend, dict) and isinstance(rounds, int)
    assert rounds >= 2
    assert spend["seconds"] <= 1.0


def test_the_listener_hears_every_round(tmp_path: Path) -> None:
    setup, heard = OPENERS.open(order(rounds=3)), list[Progress]()
    with Journal.create(tmp_path / "run", setup.facts(), OPENERS.allowed) as journal:
        play(setup, journal, heard.append)
    assert [(p.doing, p.round) for p in heard] == [
        ("rounds", 0),
        ("rounds", 1),
        ("rounds", 2),
        ("rounds", 3),
        ("exam", 3),
        ("done", 3),
    ]
    assert [p.used for p in heard] == sorted(p.used for p in heard)
    assert heard[3].remaining is not None and heard[3].remaining >= 0


def test_a_run_whose_config_changed_is_refused_with_what_changed(tmp_path: Path) -> None:
    setup, other = OPENERS.open(order(seed=0)), OPENERS.open(order(seed=1))
    with Journal.create(tmp_path / "run", setup.facts(), OPENERS.allowed) as journal:
        journal.check_config(setup.facts())
        with pytest.raises(InvalidInput, match="seed"):
            journal.check_config(other.facts())


def test_an_order_is_read_back_from_what_the_run_wrote_down(tmp_path: Path) -> None:
    settings: dict[str, Json] = {"batch": 5, "training": {"rate": 0.5, "steps": 3, "epochs": 2}}
    placed = Order("climb", "toy", {"model": "linear"}, parse_budget("1e9flops"), 3, settings, rounds=1, test=None)
    setup = OPENERS.open(placed)
    with Journal.create(tmp_path / "run", setup.facts(), OPENERS.allowed) as journal:
        again = order_of(journal.config, OPENERS.methods)
        journal.check_config(OPENERS.open(again).facts())
    assert (again.budget, again.seed, again.rounds, again.test) == (placed.budget, 3, 1, None)


def test_needs_are_checked_before_anything_is_spent() -> None:
    with pytest.raises(LacksNeed):
        OPENERS.open(Order("listen", "toy", {"model": "linear"}, parse_budget("1s"), asking={"mute": True}))


def test_settings_of_an_order_must_make_sense() -> None:
    with pytest.raises(InvalidInput, match="rounds must be >= 1"):
        Order("climb", "toy", {"model": "linear"}, parse_budget("1s"), rounds=0)
    with pytest.raises(InvalidInput, match="a model to improve"):
        Order("climb", "toy", {"teacher": "linear"}, parse_budget("1s"))
