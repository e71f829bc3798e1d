"""The ledger: what it counts, when it says stop, and what it remembers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharpen.arena.journal import Entry
from sharpen.arena.meter import Ledger, MeteredEnv, MeteredOracle, charging, per_problem
from sharpen.core.budget import Budget, Spend
from sharpen.core.errors import BudgetExhausted, Unanswerable
from sharpen.core.judging import judged
from sharpen.core.method import Round, Seat
from sharpen.core.records import Judged, Problem, Sampling, user
from sharpen.models.linear import linear_model
from sharpen.sample.direct import Direct
from sharpen.sample.rollout import rollout
from tests.toys import Toy


class Ticks:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def spend(tokens: int) -> Spend:
    return Spend(sampled=tokens, flops=10.0 * tokens)


def test_work_and_paid_are_kept_apart_by_role_and_body() -> None:
    ledger = Ledger()
    ledger.charge("model", "a", spend(5), spend(3))
    ledger.charge("judge", "b", spend(2), spend(2))
    ledger.charge("model", "a", spend(1), spend(1))
    assert [(c.role, c.body, c.work.sampled, c.paid.sampled) for c in ledger.spent()] == [
        ("model", "a", 6, 4),
        ("judge", "b", 2, 2),
    ]
    assert (ledger.work().flops, ledger.paid().flops) == (80.0, 60.0)


@pytest.mark.parametrize("budget", [Budget(100, "flops"), Budget(10, "tokens")])
def test_refuses_what_would_overdraw_and_books_none_of_it(budget: Budget) -> None:
    ledger = Ledger(budget)
    ledger.charge("model", "a", spend(8), spend(8))
    with pytest.raises(BudgetExhausted):
        ledger.charge("model", "a", spend(3), spend(0))
    assert ledger.work() == spend(8)
    assert ledger.left() == pytest.approx(0.2)
    ledger.charge("model", "a", spend(2), spend(2))
    assert ledger.left() == 0


@given(st.lists(st.integers(0, 30)), st.integers(1, 200))
def test_never_books_more_than_the_budget(pieces: list[int], amount: int) -> None:
    ledger = Ledger(Budget(amount, "tokens"))
    booked = 0
    for piece in pieces:
        try:
            ledger.charge("model", "a", spend(piece), spend(piece))
        except BudgetExhausted:
            assert booked + piece > amount
        else:
            booked += piece
    assert ledger.work().tokens == booked <= amount


def test_the_clock_counts_only_while_it_runs_and_is_not_paused() -> None:
    ticks = Ticks()
    ledger = Ledger(Budget(10, "seconds"), ticks)
    ticks.now += 50
    ledger.start()
    ticks.now += 4
    with ledger.paused():
        ticks.now += 1000
    ticks.now += 2
    ledger.stop()
    ticks.now += 7
    assert ledger.seconds == 6.0
    assert ledger.left() == pytest.approx(0.4)


def test_a_budget_in_seconds_ends_when_the_clock_has_passed_it() -> None:
    ticks = Ticks()
    ledger = Ledger(Budget(10, "seconds"), ticks)
    ledger.start()
    ticks.now += 9
    ledger.charge("model", "a", spend(10**9), spend(10**9))
    ticks.now += 2
    with pytest.raises(BudgetExhausted):
        ledger.charge("model", "a", spend(0), spend(0))
    with pytest.raises(BudgetExhausted):
        ledger.require_time()


def test_a_problem_counts_as_labelled_once_however_often_it_is_asked_about() -> None:
    task, ledger, seen = Toy(), Ledger(), list[Judged]()
    oracle = MeteredOracle(task.oracle, ledger, seen.extend)
    seat = Seat({"model": linear_model()}, task.env)
    problems = task.problems("train")[:5]
    attempts = Direct(seat.model.base).answer(seat, problems)
    marks = judged([*attempts, *attempts], oracle.judge)
    oracle.reveal(problems[0])
    oracle.reveal(task.problems("train")[7])
    work = ledger.work()
    assert (work.verdicts, work.labelled, work.references) == (10, 6, 2)
    assert seen == marks


def test_states_and_moves_are_environment_steps() -> None:
    task, ledger = Toy(), Ledger()
    problem = task.problems("train")[0]
    MeteredOracle(task.oracle, ledger, lambda _: None).states(problem, "cat is 0\nAnswer: 0")
    env = MeteredEnv(task.env, ledger)
    env.step_many([env.open(problem)], [user("0")])
    assert (ledger.work().env_steps, ledger.work().labelled, ledger.work().verdicts) == (3, 1, 0)


def test_another_tasks_problem_is_refused() -> None:
    oracle = MeteredOracle(Toy().oracle, Ledger(), lambda _: None)
    with pytest.raises(Unanswerable):
        oracle.reveal(Problem("mine", (user("what is love"),)))


def test_a_bound_model_books_what_was_sampled() -> None:
    """The recount: prompts read once per chat, and the tokens that came back."""
    task, ledger = Toy(), Ledger()
    model = linear_model()
    bound = model.bind(charging(ledger, "model", model.base.body))
    problems = task.problems("train")[:20]
    attempts = rollout(bound.at(bound.base, ("recount",)), task.env, problems, Sampling(n=4, max_tokens=8))
    work = ledger.work()
    assert work.read == sum(len(model.encoder.encode(problem.chat)) for problem in problems)
    assert work.sampled == pytest.approx(sum(attempt.length for attempt in attempts), rel=0.01)
    assert work.flops > 0


def test_goes_on_where_the_last_written_round_ended() -> None:
    ledger, task = Ledger(Budget(100, "tokens")), Toy()
    problems = task.problems("train")
    rounds = []
    for number in (1, 2):
        ledger.charge("model", "a", spend(10), spend(7))
        ledger.consult(problems[: 2 * number], verdicts=1)
        done = Round(None, Direct(linear_model().base), {})
        rounds.append(Entry(number, done, ledger.spent(), 3.0 * number, labelled=ledger.newly_labelled()))
    ledger.charge("model", "a", spend(50), spend(50))
    again = Ledger(Budget(100, "tokens"))
    again.restore(rounds)
    assert [len(entry.labelled) for entry in rounds] == [2, 2]
    assert (again.work().tokens, again.paid().tokens, again.seconds, again.left()) == (20, 14, 6.0, 0.8)
    again.consult(problems[:5])
    assert again.work().labelled == 5
    assert again.newly_labelled() == (problems[4].id,)


def test_a_spend_is_shared_out_over_problems() -> None:
    assert per_problem(Spend(sampled=10, flops=4.0), 4)["sampled"] == 2.5
