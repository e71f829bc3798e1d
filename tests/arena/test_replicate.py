"""A claim file carried out end to end on the toy task: stopped and resumed, decided, and put on a card."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sharpen.arena.cards import Card, card_of, card_path, read_card, stale, stale_cards, write_card
from sharpen.arena.claims import Claims, read_claims
from sharpen.arena.compare import number
from sharpen.arena.play import Progress
from sharpen.arena.replicate import Replication, replicate
from sharpen.core.archive import from_json, to_json
from sharpen.core.budget import parse_budget
from sharpen.core.errors import CorruptRecord, InvalidInput, LacksNeed
from tests.arena.test_claims import STATED, stated, written
from tests.arena.workshop import OPENERS, TWO_TASKS
from tests.toys import MuteToy

CLOCKS = {"seconds", "date"}


class Stopper:
    """Interrupts a run when it tells of a round."""

    def __init__(self, run: str, round: int) -> None:
        self.run, self.round = run, round

    def __call__(self, news: Progress) -> None:
        if news.doing == "rounds" and (news.run, news.round) == (self.run, self.round):
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def claims(tmp_path_factory: pytest.TempPathFactory) -> Claims:
    return stated(tmp_path_factory.mktemp("claims"))


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def whole(claims: Claims, below: Path) -> Replication:
    return replicate(claims, TWO_TASKS, below)


@pytest.fixture(scope="module")
def card(claims: Claims, whole: Replication) -> Card:
    return card_of(claims, whole.results)


def timeless(data: object) -> object:
    """Data without what a clock says."""
    if isinstance(data, Mapping):
        return {key: timeless(value) for key, value in data.items() if key not in CLOCKS}
    return [timeless(item) for item in data] if isinstance(data, list) else data


def test_every_arm_has_a_result_a_seed(claims: Claims, whole: Replication) -> None:
    assert whole.whole
    assert {arm: [result["seed"] for result in own] for arm, own in whole.results.items()} == {
        arm.name: [0, 1, 2, 3, 4] for arm in claims.arms
    }


def test_an_arm_is_examined_on_the_other_tasks_it_names(whole: Replication) -> None:
    result = whole.results["climb"][0]
    assert number(result, "elsewhere", "toy:hard", "exam", "after", "n") > 0
    own, hard = number(result, "exam", "after", "n"), number(result, "elsewhere", "toy:hard", "exam", "after", "n")
    before = [number(result, *path, "exam", "before", "score") for path in ((), ("elsewhere", "toy:hard"))]
    assert own == 20 and hard == 20 and before[0] != before[1]
    assert whole.results["slow"][0]["elsewhere"] == {}


def test_the_card_says_what_was_found_and_what_it_cost(card: Card, claims: Claims, whole: Replication) -> None:
    gains, beats, learns = card.findings
    results = whole.results["climb"]
    assert gains.values == tuple(
        number(r, "exam", "after", "score") - number(r, "exam", "before", "score") for r in results
    )
    hard = [number(r, "elsewhere", "toy:hard", "exam", "after", "score") for r in results]
    votes = [number(r, "elsewhere", "toy:hard", "exam", "after", "score") for r in whole.results["poll"]]
    assert beats.values == tuple(one - other for one, other in zip(hard, votes, strict=True))
    assert all(-1 <= value <= 1 for value in learns.values)
    climb, slow, poll = card.arms
    assert climb.flops > 0 and climb.verdicts > 0 and climb.seconds > 0 and 0 < climb.unspent < 1
    assert poll.flops == poll.verdicts == poll.labelled == 0 and poll.answer_flops > climb.answer_flops
    assert slow.arm.method == "climb:small" and slow.elsewhere == {}
    assert climb.scored.after == pytest.approx(sum(seed.after for seed in climb.seeds) / 5)
    assert climb.elsewhere["toy:hard"].after == pytest.approx(sum(hard) / 5)
    assert [seed.seed for seed in climb.seeds] == [0, 1, 2, 3, 4]
    assert card.command == "sharpen replicate climb" and card.departures == ("a toy",)
    assert card.machines[0]["processor"] and "torch" in card.machines[0] and card.machines[0]["gpu"] == "none used"


def test_finished_runs_and_exams_are_read_and_not_played_again(claims: Claims, whole: Replication, below: Path) -> None:
    heard = list[Progress]()
    times = {file: file.stat().st_mtime_ns for file in below.rglob("*.json*")}
    again = replicate(claims, TWO_TASKS, below, tell=heard.append)
    assert heard == [] and again == whole
    assert {file: file.stat().st_mtime_ns for file in below.rglob("*.json*")} == times


def test_stopped_in_the_middle_it_goes_on_to_the_same_results(
    claims: Claims, whole: Replication, tmp_path: Path
) -> None:
    two = replace(claims, arms=(claims.arms[0], claims.arms[2]))
    stopped = replicate(two, TWO_TASKS, tmp_path, tell=Stopper("climb seed 1", 1))
    assert stopped.stopped and not stopped.whole
    assert {arm: len(own) for arm, own in stopped.results.items()} == {"climb": 1, "poll": 1}
    resumed = replicate(two, TWO_TASKS, tmp_path)
    assert resumed.whole and set(resumed.results) == {"climb", "poll"}
    card = card_of(two, resumed.results)
    before = card_of(two, {arm: whole.results[arm] for arm in resumed.results})
    assert timeless(to_json(card)) == timeless(to_json(before))


def test_processes_give_the_same_results(claims: Claims, whole: Replication, tmp_path: Path) -> None:
    heard = set[str]()
    polls = replace(claims, arms=claims.arms[2:])
    together = replicate(polls, TWO_TASKS, tmp_path, jobs=2, tell=lambda news: heard.add(news.run))
    assert heard == {f"poll seed {seed}" for seed in claims.seeds}
    assert [result["scores"] for result in together.results["poll"]] == [r["scores"] for r in whole.results["poll"]]
    assert [number(r, "elsewhere", "toy:hard", "exam", "after", "score") for r in together.results["poll"]] == [
        number(r, "elsewhere", "toy:hard", "exam", "after", "score") for r in whole.results["poll"]
    ]


def test_a_failing_run_is_named_by_its_arm_and_there_is_no_card(claims: Claims, tmp_path: Path) -> None:
    found = replicate(replace(claims, budget=parse_budget("1e6flops")), TWO_TASKS, tmp_path)
    assert not found.whole and not found.stopped
    assert "too small for one round" in found.failures["climb seed 0"]
    assert len(found.results["poll"]) == 5


def test_what_cannot_work_is_refused_before_anything_is_spent(claims: Claims, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="toy:hard"):
        replicate(claims, OPENERS, tmp_path)
    greedy = replace(claims, arms=(*claims.arms, replace(claims.arms[0], name="told", method="listen", settings={})))
    with pytest.raises(LacksNeed, match="listen"):
        replicate(greedy, replace(TWO_TASKS, task=muted), tmp_path)
    assert list(tmp_path.iterdir()) == []


def muted(_: str) -> MuteToy:
    return MuteToy()


def test_a_metric_that_no_round_has_is_named(whole: Replication, claims: Claims) -> None:
    missing = replace(claims, claims=(replace(claims.claims[2], of="mean/unheard"),))
    with pytest.raises(InvalidInput, match="unheard"):
        card_of(missing, whole.results)


def test_a_card_reads_back(card: Card, tmp_path: Path) -> None:
    assert read_card(tmp_path, "climb") is None
    path = write_card(tmp_path, card)
    assert path == card_path(tmp_path, "climb") == tmp_path / "cards" / "climb.json"
    assert read_card(tmp_path, "climb") == card == from_json(Card, json.loads(path.read_text()))
    path.write_text(path.read_text()[:100])
    with pytest.raises(CorruptRecord, match=r"climb\.json.*run anew"):
        read_card(tmp_path, "climb")


def test_a_card_is_stale_once_its_claim_file_has_changed(card: Card, tmp_path: Path) -> None:
    file = written(tmp_path)
    write_card(file.parent, card)
    assert stale_cards(file.parent, OPENERS.methods) == []
    written(tmp_path, "# said otherwise, but the same\n" + STATED)
    assert stale_cards(file.parent, OPENERS.methods) == []
    written(tmp_path, STATED.replace("threshold = 0\n", "threshold = 0.05\n"))
    assert stale(card, read_claims(file, OPENERS.methods))
    assert stale_cards(file.parent, OPENERS.methods) == ["climb"]
    file.unlink()
    assert stale_cards(file.parent, OPENERS.methods) == ["climb"]
