"""The estimate: near what a real round costs, for methods that do not know of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from sharpen.arena.estimate import estimate
from sharpen.arena.journal import Journal
from sharpen.arena.phantom import Phantom
from sharpen.arena.play import play
from sharpen.arena.setup import Order
from sharpen.core.budget import Spend, parse_budget
from sharpen.core.records import Json, Piece, Sampling, user
from sharpen.models.linear import linear_model
from tests.arena.workshop import OPENERS, REAL, carried_out

SETTINGS: dict[str, dict[str, Json]] = {
    "climb": {"batch": 100},
    "listen": {"batch": 100},
}


def placed(method: str, seed: int = 0) -> Order:
    budget = parse_budget("1e10flops")
    return Order(method, "toy", {"model": "linear"}, budget, seed, SETTINGS[method], rounds=1, dev=5, test=5)


@pytest.mark.parametrize("method", SETTINGS)
def test_agrees_with_a_real_round_within_thirty_percent(tmp_path: Path, method: str) -> None:
    guess = estimate(OPENERS.open(placed(method))).first
    run = carried_out(tmp_path, placed(method))["run"]
    last = Journal.read(tmp_path / str(run), OPENERS.allowed).last_round()
    assert last is not None
    real = sum((charged.work for charged in last.spent), Spend())
    assert guess.flops == pytest.approx(real.flops, rel=0.3)
    assert guess.tokens == pytest.approx(real.tokens, rel=0.3)
    assert (guess.verdicts, guess.env_steps) == (real.verdicts, real.env_steps)


def test_a_run_of_many_rounds_costs_many_times_one() -> None:
    setup = OPENERS.open(Order("climb", "toy", {"model": "linear"}, parse_budget("1e10flops")))
    found = estimate(setup)
    assert found.rounds is not None and found.rounds > 10
    assert found.whole.flops == pytest.approx(found.first.flops + (found.rounds - 1) * found.later.flops)
    assert found.whole.flops <= 1e10
    assert found.first.seconds > 0 and found.later.seconds > 0
    assert 0 < found.probe.length <= 8


def test_rounds_unlike_the_first_are_foretold_as_they_are(tmp_path: Path) -> None:
    """PromptQuine tries the start alone at first, then a generation a round; a ranking comes every second one."""
    breeding: Json = {"population": 6, "children": 12}
    given: dict[str, Json] = {"labelled": 48, "validation": 24, "explored": 49, "every": 2, "breeding": breeding}
    setup = REAL.open(
        Order("promptquine", "toy", {"model": "linear"}, parse_budget("1e12flops"), 0, given, dev=2, test=2)
    )
    found = estimate(setup)
    journal = Journal.create(tmp_path / "run", setup.facts())
    play(setup, journal)
    first, *later = (sum((charged.work for charged in entry.spent), Spend()) for entry in journal.rounds())
    assert found.first.flops == pytest.approx(first.flops, rel=0.1)
    assert found.later.flops > 5 * found.first.flops
    assert found.later.flops == pytest.approx((later[-1].flops - first.flops) / len(later), rel=0.3)
    assert found.rounds == 1 + len(later)  # it ends by itself


def test_a_budget_short_of_the_first_round_pays_for_none() -> None:
    found = estimate(OPENERS.open(Order("climb", "toy", {"model": "linear"}, parse_budget("1e3flops"))))
    assert (found.rounds, found.whole) == (0, Spend()) and found.first.flops > 1e3


def test_a_method_without_training_costs_nothing_in_training() -> None:
    found = estimate(OPENERS.open(Order("poll", "toy", {"model": "linear"}, parse_budget("1e8flops"))))
    assert found.first.flops == found.later.flops == 0
    assert found.rounds == 1  # it ends by itself


def test_a_phantom_asked_for_a_line_says_a_line_of_what_was_heard() -> None:
    model = linear_model()
    tokens = model.encoder.reply("1\n2\nAnswer: 3")
    echo = Phantom(model, [Piece("1\n2\nAnswer: 3", tokens)]).at(model.base)
    (said,) = echo.sample([(user("dog"),)], Sampling(n=40, stop=("\n",)))
    assert {completion.text for completion in said} == {"1", "2", "Answer: 3"}
    assert {model.encoder.decode(completion.piece.known) for completion in said} == {"1\n", "2\n", "Answer: 3"}


def test_estimating_leaves_the_model_as_it_was() -> None:
    setup = OPENERS.open(Order("climb", "toy", {"model": "linear"}, parse_budget("1e8flops")))
    before = setup.room(None).examine(setup.start, "dev").scores
    first, second = estimate(setup), estimate(setup)
    assert (first.first, first.later.flops) == (replace(second.first, seconds=first.first.seconds), second.later.flops)
    assert setup.room(None).examine(setup.start, "dev").scores == before
