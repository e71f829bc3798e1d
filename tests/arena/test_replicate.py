"""A claim file carried out end to end on the toy task: stopped and resumed, decided, and put on a card."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sharpen.arena.cards import Card, card_of, card_path, read_card, stale, stale_cards, write_card
from sharpen.arena.claims import Claims, read_claims
from sharpen.arena.code import Made
from sharpen.arena.journal import number
from sharpen.arena.play import Progress
from sharpen.arena.replicate import Replication, opened, replicate
from sharpen.arena.statistics import holm
from sharpen.core.archive import from_json, to_json
from sharpen.core.budget import parse_budget
from sharpen.core.errors import CorruptRecord, InvalidInput, LacksNeed
from sharpen.core.records import Problem
from sharpen.core.streams import Split
from tests.arena.test_claims import STATED, stated, written
from tests.arena.workshop import OPENERS, TWO_TASKS, Hard
from tests.toys import MuteToy, Toy

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
    assert [(news.run, news.doing) for news in heard] == [
        (f"{arm.name} seed {seed}", "kept") for seed in claims.seeds for arm in claims.arms
    ]
    assert again == whole
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


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_metric_that_no_round_has_ends_all_at_the_first_run(claims: Claims, tmp_path: Path, jobs: int) -> None:
    missing = replace(claims, claims=(*claims.claims[:2], replace(claims.claims[2], of="mean/kepd")))
    with pytest.raises(InvalidInput, match=r"claim learns cannot be decided by arm climb: .*did you mean 'kept'"):
        replicate(missing, TWO_TASKS, tmp_path, jobs)
    assert len(list(tmp_path.glob("*/result.json"))) <= jobs


def test_a_ratio_to_nothing_ends_all_at_the_first_run_that_shows_it(claims: Claims, tmp_path: Path) -> None:
    ratio = replace(claims.claims[1], statistic="ratio", of="verdicts", exam=None)
    with pytest.raises(InvalidInput, match="beats is a ratio, but verdicts of poll is 0"):
        replicate(replace(claims, claims=(ratio,), arms=claims.arms[::2]), TWO_TASKS, tmp_path)
    assert len(list(tmp_path.glob("*/result.json"))) == 2


def test_a_measure_that_no_task_has_is_refused_before_anything_is_spent(claims: Claims, tmp_path: Path) -> None:
    wrong = replace(claims, claims=(replace(claims.claims[0], of="measure/lenght"),))
    with pytest.raises(InvalidInput, match=r"measure of toy in claim gains.*did you mean 'length'"):
        replicate(wrong, TWO_TASKS, tmp_path)
    assert list(tmp_path.iterdir()) == []
    of_tries = replace(claims, claims=(replace(claims.claims[0], of="measure/tries/fixed"),))
    assert set(opened(of_tries, TWO_TASKS)) == {"toy", "toy:hard"}


class Bare(Hard):
    """Problems for an exam alone: no references, and none to train on or to examine a round on."""

    offers = frozenset()

    def problems(self, split: Split) -> Sequence[Problem]:
        return super().problems(split) if split == "test" else ()


def bare(name: str) -> Toy:
    return Bare() if name == Hard.name else Toy()


def test_a_task_that_is_only_examined_on_need_not_offer_what_training_takes(claims: Claims, tmp_path: Path) -> None:
    told = replace(claims.arms[0], name="told", method="listen", settings={})
    one = replace(
        claims, arms=(told,), claims=(replace(claims.claims[0], arm="told"),), budget=parse_budget("4e7flops")
    )
    found = replicate(one, replace(TWO_TASKS, task=bare), tmp_path)
    assert found.whole, found.failures
    assert number(found.results["told"][0], "elsewhere", "toy:hard", "exam", "after", "n") == 20


def test_an_interruption_before_the_first_round_is_no_failure(claims: Claims, tmp_path: Path) -> None:
    stopped = replicate(claims, TWO_TASKS, tmp_path, tell=Stopper("climb seed 0", 0))
    assert stopped.stopped and stopped.failures == {}


def test_other_code_holds_new_exams_and_keeps_the_runs(
    claims: Claims, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(claims, arms=claims.arms[2:], seeds=claims.seeds[:2])
    before = replicate(few, TWO_TASKS, tmp_path)
    held = {file.name: file.stat().st_mtime_ns for file in tmp_path.rglob("*.json")}
    monkeypatch.setattr("sharpen.arena.compare.code_digest", lambda: "other")
    other = Made("0.1.0", "commit-dirty", "other+own")
    monkeypatch.setattr("sharpen.arena.replicate.made_by", lambda module: other)
    after = replicate(few, TWO_TASKS, tmp_path)
    now = {file.name: file.stat().st_mtime_ns for file in tmp_path.rglob("*.json")}
    new = {name.partition("-")[0] for name in now if name not in held}
    assert new == {"start", "test", "exam"} and all(now[name] == held[name] for name in held)
    for one, again in zip(before.results["poll"], after.results["poll"], strict=True):
        assert again["exam"] == one["exam"] and again["elsewhere"] != one["elsewhere"]
        assert isinstance(one["made"], list) and again["made"] == [*one["made"], to_json(other)]


def test_the_card_says_by_which_code_each_run_was_made(card: Card) -> None:
    (made,) = {made for line in card.arms[:2] for seed in line.seeds for made in seed.made}
    assert card.versions == (made.version,) and card.commits == (made.commit,)
    (poll,) = {made for seed in card.arms[2].seeds for made in seed.made}
    assert poll.code.partition("+")[0] == made.code.partition("+")[0] and poll.code != made.code


def test_another_look_is_remembered_and_costs_half_the_level(claims: Claims, whole: Replication, card: Card) -> None:
    assert card.looks == () and [one.adjusted for one in card.findings] == [
        min(1.0, 2 * p) for p in holm([one.p for one in card.findings])
    ]
    reworded = replace(
        claims, digest="other", claims=tuple(replace(claim, says="as before") for claim in claims.claims)
    )
    assert card_of(reworded, whole.results, card).looks == ()
    five = replace(claims, seeds=claims.seeds[:4])
    fewer = {arm: own[:4] for arm, own in whole.results.items()}
    second = card_of(five, fewer, card)
    (look,) = second.looks
    assert (look.date, look.digest, look.seeds) == (card.date, card.digest, (0, 1, 2, 3, 4))
    assert [(seen.claim, seen.p, seen.adjusted, seen.verdict) for seen in look.seen] == [
        (one.claim, one.p, one.adjusted, one.verdict) for one in card.findings
    ]
    assert [one.adjusted for one in second.findings] == [min(1.0, 4 * p) for p in holm([o.p for o in second.findings])]
    assert timeless(to_json(card_of(five, fewer, second))) == timeless(to_json(second))
    moved = replace(claims, claims=(replace(claims.claims[0], threshold=0.1), *claims.claims[1:]))
    assert len(card_of(moved, whole.results, second).looks) == 2


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
