"""What holds of every method in the folder, on the linear model and the toy task; one run a method feeds all checks."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sharpen.arena.journal import Entry, Journal
from sharpen.arena.play import Progress, play
from sharpen.arena.registry import load, method_names, settings
from sharpen.arena.setup import Openers, Order, Setup
from sharpen.core.archive import from_tagged, to_tagged
from sharpen.core.budget import Budget
from sharpen.core.errors import LacksNeed
from sharpen.core.method import Seat
from sharpen.core.ports import Model
from sharpen.core.records import Json
from sharpen.models.linear import linear_model
from tests.toys import toy

ROWS = tomllib.loads((Path(__file__).parent / "learns.toml").read_text())
PLENTY = Budget(1e18, "flops")
MODEL = linear_model()


def linear(name: str) -> Model:
    return MODEL


OPENERS = Openers(task=toy, model=linear)


@dataclass(frozen=True)
class Played:
    name: str
    setup: Setup
    journal: Journal
    result: Mapping[str, Json]
    rounds: tuple[Entry, ...]


def opened(name: str, budget: Budget = PLENTY, rounds: int | None = None) -> Setup:
    row = ROWS[name]
    chosen = settings([f"{key}={value}" for key, value in row["settings"].items()])
    return OPENERS.open(Order(name, "toy", {"model": "linear"}, budget, 0, chosen, rounds=rounds or row["rounds"]))


@pytest.fixture(scope="module", params=method_names())
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    setup = opened(request.param)
    journal = Journal.create(tmp_path_factory.mktemp("run") / "whole", setup.facts())
    result = play(setup, journal)
    return Played(request.param, setup, journal, result, tuple(journal.rounds()))


def interrupting(after: int) -> Callable[[Progress], None]:
    def listen(progress: Progress) -> None:
        if progress.doing == "rounds" and progress.round == after:
            raise KeyboardInterrupt

    return listen


def spent(result: Mapping[str, Json], field: str) -> float:
    spend = result["spend"]
    assert isinstance(spend, Mapping) and isinstance(spend["work"], Mapping)
    number = spend["work"][field]
    assert isinstance(number, int | float)
    return float(number)


def scored(result: Mapping[str, Json], when: str) -> float:
    exam = result["exam"]
    assert isinstance(exam, Mapping) and isinstance(exam[when], Mapping)
    number = exam[when]["score"]
    assert isinstance(number, int | float)
    return float(number)


def test_every_method_says_what_it_must_learn() -> None:
    assert set(ROWS) == set(method_names())


def test_moves_what_it_must_move(played: Played) -> None:
    assert scored(played.result, "after") - scored(played.result, "before") >= ROWS[played.name]["gain"]


def test_resumes_to_the_same_state_and_metrics(played: Played, tmp_path: Path) -> None:
    setup = opened(played.name)
    journal = Journal.create(tmp_path / "broken", setup.facts())
    play(setup, journal, interrupting(after=1))
    journal.close()
    again = Journal.open(tmp_path / "broken")
    play(opened(played.name), again)
    for one, other in zip(played.rounds, again.rounds(), strict=True):
        assert one.round == other.round
        assert [charged.work for charged in one.spent] == [charged.work for charged in other.spent]
        assert one.dev == other.dev


def test_stops_when_the_meter_says_so_with_a_usable_last_round(played: Played, tmp_path: Path) -> None:
    limit = spent(played.result, "flops") * 0.6
    if limit == 0:
        pytest.skip("nothing is spent before the exam")
    setup = opened(played.name, Budget(limit, "flops"))
    result = play(setup, Journal.create(tmp_path / "short", setup.facts()))
    assert result["ended"] == "budget"
    assert 0 < spent(result, "flops") <= limit
    rounds = result["rounds"]
    assert isinstance(rounds, int) and 0 < rounds < len(played.rounds)


def test_charges_what_it_used(played: Played) -> None:
    learns = "learn" in played.setup.method.needs
    assert (spent(played.result, "learned") > 0) == (learns and ROWS[played.name]["gain"] > 0)
    assert (spent(played.result, "labelled") > 0) == ROWS[played.name]["labels"]
    assert (spent(played.result, "verdicts") > 0) == ROWS[played.name]["labels"]


def test_the_ledger_agrees_with_a_recount_of_the_attempts(played: Played) -> None:
    if not ROWS[played.name]["labels"]:
        pytest.skip("its attempts are not judged by the oracle, so they are not in the journal")
    marks = [mark for entry in played.rounds for mark in played.journal.attempts(entry.number)]
    assert spent(played.result, "verdicts") == len(marks)
    if not ROWS[played.name].get("searches", False):
        assert spent(played.result, "sampled") == pytest.approx(sum(mark.attempt.length for mark in marks), rel=0.01)
    assert spent(played.result, "labelled") == len({mark.attempt.problem.id for mark in marks})


def test_the_state_survives_the_archive(played: Played) -> None:
    for entry in played.rounds:
        assert from_tagged(to_tagged(entry.round.state)) == entry.round.state
        assert isinstance(entry.round.state, played.setup.method.state)


def test_the_solver_answers_every_problem_without_the_oracle(played: Played) -> None:
    bound = MODEL.bind(lambda work, paid: None, (), played.journal.folder / "weights" / "model")
    problems = played.setup.task.problems("dev")
    attempts = played.rounds[-1].round.solver.answer(Seat({"model": bound}, played.setup.task.env), problems)
    assert [attempt.problem for attempt in attempts] == list(problems)


def test_a_model_that_lacks_a_need_is_refused_before_anything_is_spent(played: Played) -> None:
    class Mute:
        name = "mute"
        base = MODEL.base
        offers: frozenset[str] = frozenset()

    openers = replace(OPENERS, model=lambda name: Mute())  # type: ignore[arg-type,return-value]  # it is refused before it is asked
    with pytest.raises(LacksNeed, match=played.name):
        openers.open(played.setup.order)


def test_every_default_configuration_is_valid_and_every_variant_too() -> None:
    for name in method_names():
        config = load(name).config
        variants = [value for value in vars(config).values() if isinstance(value, classmethod)]
        assert all(isinstance(variant.__get__(None, config)(), config) for variant in variants)
