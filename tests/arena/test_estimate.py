"""The estimate: near what a real round costs, for methods that do not know of it."""

from pathlib import Path

import pytest

from sharpen.arena.estimate import estimate
from sharpen.arena.journal import Journal
from sharpen.arena.phantom import Phantom
from sharpen.arena.setup import Order
from sharpen.core.budget import Spend, parse_budget
from sharpen.core.records import Json, Piece, Sampling, user
from sharpen.models.linear import linear_model
from tests.arena.workshop import OPENERS, carried_out

SETTINGS: dict[str, dict[str, Json]] = {
    "climb": {"batch": 100},
    "listen": {"batch": 100},
}


def placed(method: str, seed: int = 0) -> Order:
    budget = parse_budget("1e10flops")
    return Order(method, "toy", {"model": "linear"}, budget, seed, SETTINGS[method], rounds=1, dev=5, test=5)


@pytest.mark.parametrize("method", SETTINGS)
def test_agrees_with_a_real_round_within_thirty_percent(tmp_path: Path, method: str) -> None:
    guess = estimate(OPENERS.open(placed(method))).round
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
    assert found.whole.flops == pytest.approx(found.rounds * found.round.flops)
    assert found.whole.flops <= 1e10
    assert found.round.seconds > 0
    assert 0 < found.probe.length <= 8


def test_a_method_without_training_costs_nothing_in_training() -> None:
    found = estimate(OPENERS.open(Order("poll", "toy", {"model": "linear"}, parse_budget("1e8flops"))))
    assert found.round.flops == 0
    assert found.rounds is None


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
    assert first.round.flops == second.round.flops
    assert setup.room(None).examine(setup.start, "dev").scores == before
