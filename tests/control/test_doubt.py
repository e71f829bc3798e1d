from dataclasses import replace
from math import exp, inf, log

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sharpen.control.doubt import Doubt, Gate, margin, quantile, shares, told_apart, weighed
from sharpen.core.archive import from_tagged, to_tagged
from sharpen.core.errors import InvalidInput, LacksNeed
from sharpen.core.method import Seat
from sharpen.core.records import Completion, Finish, Piece, Problem, Sampling, user
from sharpen.core.streams import Rng, stream
from sharpen.core.tokens import Tokens
from sharpen.models.linear import linear_model
from sharpen.models.local import LocalPolicy
from tests.toys import OneTurn, Toy

MODEL = linear_model()
POLICY = MODEL.at(MODEL.base, ("test",))
VOTES = Doubt(how=Sampling(n=8), weigh="votes")
PATIENTLY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
LIKELIHOODS = st.lists(st.floats(-2000, 0), min_size=1, max_size=12)


def rng(name: str) -> Rng:
    return stream("test", name)


def passed(gate: Gate, margins: list[float]) -> list[bool]:
    problems = [Problem(str(place), (user("x"),)) for place in range(len(margins))]
    return gate.passed(problems, margins, rng)


def said(text: str, *logprobs: float) -> Completion:
    tokens = Tokens(np.frombuffer(text.encode().ljust(len(logprobs), b"~"), np.uint8)[: len(logprobs)], "bytes")
    return Completion(Piece(text, tokens, np.array(logprobs, dtype=np.float32)), Finish.END)


def test_shares_and_margin_of_a_hand_worked_case() -> None:
    likelihoods = [log(0.1), log(0.4), log(0.3)]
    assert shares(likelihoods) == pytest.approx([0.125, 0.5, 0.375])
    assert margin(likelihoods) == pytest.approx(0.125)


def test_the_likeliest_answer_has_the_largest_share_and_not_the_smallest() -> None:
    assert shares([-1.0, -5.0])[0] > 0.9


def test_a_lone_answer_is_sure_two_alike_are_not_and_none_at_all_is_not() -> None:
    assert margin([-3.0]) == 1.0 and margin([-3.0, -3.0]) == 0.0 and margin([]) == 0.0


@PATIENTLY
@given(LIKELIHOODS, st.floats(-50, 50))
def test_shares_sum_to_one_and_only_differences_count(likelihoods: list[float], more: float) -> None:
    assert sum(shares(likelihoods)) == pytest.approx(1)
    assert shares([one + more for one in likelihoods]) == pytest.approx(shares(likelihoods), abs=1e-6)
    assert 0 <= margin(likelihoods) <= 1


@PATIENTLY
@given(LIKELIHOODS, st.floats(0, 50))
def test_the_margin_grows_with_the_lead_of_the_likeliest(likelihoods: list[float], more: float) -> None:
    first, *rest = sorted(likelihoods, reverse=True)
    assert margin([first + more, *rest]) >= margin(likelihoods) - 1e-9


def test_an_answers_weight_is_the_summed_probability_of_its_distinct_samples() -> None:
    samples = [
        said("Answer: 4", log(0.5), log(0.4)),
        said("so\nAnswer: 4.", log(0.05)),
        said("Answer: 5", log(0.25)),
        said("Answer: 4", log(0.5), log(0.4)),
        said("no idea", log(0.9)),
    ]
    found = weighed(samples)
    assert list(found) == ["4", "5"]
    assert [exp(one) for one in found.values()] == pytest.approx([0.25, 0.25])
    assert margin(list(found.values())) == pytest.approx(0, abs=1e-6)


def test_votes_count_every_sample_that_names_an_answer() -> None:
    texts = ["Answer: 4", "Answer: 4", "Answer: 4", "Answer: 5", "no idea"]
    found = weighed([Completion(Piece(text), Finish.END) for text in texts], "votes")
    assert found == {"4": log(3), "5": log(1)}
    assert margin(list(found.values())) == pytest.approx(0.5)


def test_where_no_sample_names_an_answer_their_wordings_are_compared() -> None:
    texts = ["blue", " blue ", "red", ""]
    assert weighed([Completion(Piece(text), Finish.END) for text in texts], "votes") == {"blue": log(2), "red": 0.0}


def test_likelihoods_that_a_server_did_not_give_are_missed() -> None:
    with pytest.raises(LacksNeed, match="log-probabilities"):
        weighed([Completion(Piece("Answer: 4"), Finish.END)])


def test_candidates_are_compared_by_the_likelihood_of_the_whole_reply() -> None:
    chat = (user("animal of cat"),)
    replies = ("3", "so 4")
    totals = [float(POLICY.logprobs([chat], [reply])[0].sum()) for reply in replies]
    lengths = [len(POLICY.logprobs([chat], [reply])[0]) for reply in replies]
    assert lengths[0] != lengths[1]
    [raw] = Doubt(replies).margins(POLICY, OneTurn(), [Problem("p", chat)])
    [mean] = Doubt(replies, per_token=True).margins(POLICY, OneTurn(), [Problem("p", chat)])
    assert raw == pytest.approx(margin(totals), abs=1e-6)
    assert mean == pytest.approx(margin([t / n for t, n in zip(totals, lengths, strict=True)]), abs=1e-6)
    assert mean < raw


def test_a_problems_own_candidates_win_and_the_order_of_problems_is_kept() -> None:
    chat = (user("animal of cat"),)
    problems = [Problem("a", chat, notes={"candidates": ["3"]}), Problem("b", chat), Problem("c", chat, notes={})]
    assert Doubt(("3", "4")).margins(POLICY, OneTurn(), problems)[0] == 1.0
    mixed = VOTES.margins(POLICY, OneTurn(), [problems[1], problems[0]])
    alone = VOTES.margins(POLICY, OneTurn(), [problems[1]])
    assert mixed == [alone[0], 1.0]


def test_a_note_of_that_name_that_lists_no_replies_is_refused() -> None:
    problem = Problem("a", (user("x"),), notes={"candidates": 3})
    with pytest.raises(InvalidInput, match="another name"):
        Doubt().margins(POLICY, OneTurn(), [problem])


def test_doubt_of_a_problem_does_not_depend_on_its_company() -> None:
    problems = list(Toy().problems("dev"))[:8]
    together = VOTES.margins(POLICY, OneTurn(), problems)
    backwards = VOTES.margins(POLICY, OneTurn(), problems[::-1])[::-1]
    assert together == backwards and len(set(together)) > 1


@pytest.mark.parametrize(("share", "tau"), [(0.25, 0.2), (0.5, 0.3), (0.1, 0.1), (1.0, inf)])
def test_the_quantile_has_that_share_in_front_of_it(share: float, tau: float) -> None:
    assert quantile([0.4, 0.1, 0.3, 0.2], share) == tau


def test_a_settled_gate_lets_its_share_through_on_the_side_it_stands_for() -> None:
    margins = [0.9, 0.1, 0.5, 0.3, 0.7]
    assert passed(Gate(share=0.4).settled(margins), margins) == [False, True, False, True, False]
    assert passed(Gate(inputs="sure", share=0.4).settled(margins), margins) == [True, False, False, False, True]
    assert passed(Gate(share=1.0).settled(margins), margins) == [True] * 5


@PATIENTLY
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0.01, 1))
def test_unsure_and_sure_share_the_problems_out_at_one_threshold(margins: list[float], tau: float) -> None:
    unsure, sure = passed(Gate(tau=tau), margins), passed(Gate(inputs="sure", tau=tau), margins)
    assert all(one != other for one, other in zip(unsure, sure, strict=True))


def test_equal_margins_fall_on_one_side() -> None:
    margins = [0.2, 1.0, 1.0, 1.0]
    assert passed(Gate(share=0.5).settled(margins), margins) == [True, False, False, False]


def test_a_threshold_that_was_given_is_not_measured() -> None:
    assert Gate(tau=0.95).settled([0.1, 0.2]).tau == 0.95
    with pytest.raises(InvalidInput, match="settle"):
        passed(Gate(), [0.5])


class Unasked(LocalPolicy):
    def sample(self, *_: object, **__: object) -> list[list[Completion]]:  # type: ignore[override]  # it is never called
        raise AssertionError("nobody needs to ask")


def test_all_asks_no_model() -> None:
    silent, problems = Unasked(MODEL, MODEL.base), list(Toy().problems("train"))[:20]
    assert Gate(inputs="all")(silent, OneTurn(), problems, rng) == [True] * 20


@pytest.mark.parametrize("tau", [0.1, 0.2, 0.4])
def test_random_draws_as_many_as_are_unsure_by_the_problems_names(tau: float) -> None:
    problems = list(Toy().problems("train"))[:60]
    unsure = Gate(VOTES, tau=tau)(POLICY, OneTurn(), problems, rng)
    drawn = Gate(VOTES, "random", tau=tau)(POLICY, OneTurn(), problems, rng)
    assert sum(drawn) == sum(unsure) and 0 < sum(drawn) < 60
    assert drawn != unsure
    assert Gate(VOTES, "random", tau=tau)(POLICY, OneTurn(), problems[::-1], rng)[::-1] == drawn


def test_the_lot_of_a_problem_does_not_depend_on_its_margin() -> None:
    gate = Gate(inputs="random", tau=0.5)
    assert passed(gate, [0.0, 0.0, 1.0, 1.0]) == passed(gate, [1.0, 1.0, 0.0, 0.0])


def test_random_settles_where_unsure_does_ties_and_all() -> None:
    margins = [0.2, 1.0, 1.0, 1.0]
    gate = Gate(inputs="random").settled(margins)
    assert gate.tau == Gate().settled(margins).tau and sum(passed(gate, margins)) == 1


def test_where_no_reply_finds_room_nothing_is_sure_and_where_some_do_they_count() -> None:
    narrow = linear_model()
    narrow.body.context = len(narrow.encoder.encode((user("x"),))) + 2  # type: ignore[misc]  # a smaller one for the test
    policy = narrow.at(narrow.base)
    fits, fills = Problem("a", (user("x"),)), Problem("b", (user("x x x x"),))
    both = Doubt(("1", "2"))
    assert both.margins(policy, OneTurn(), [fills, fits]) == [0.0, both.margins(POLICY, OneTurn(), [fits])[0]]
    assert Doubt(("1", "1 2 3")).margins(policy, OneTurn(), [fits]) == [1.0]
    assert VOTES.margins(policy, OneTurn(), [fills]) == [0.0]


def test_auroc_of_a_hand_worked_case() -> None:
    assert told_apart([0.9, 0.2, 0.5, 0.2], [True, True, False, False]) == pytest.approx(2.5 / 4)
    assert told_apart([0.9, 0.1], [True, False]) == 1.0 and told_apart([0.9, 0.1], [True, True]) == 0.5


@pytest.mark.parametrize("wrong", [{"share": 0.0}, {"share": 1.1}, {"tau": -0.1}, {"tau": float("nan")}])
def test_a_gate_of_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        replace(Gate(), **wrong)


def test_a_gate_survives_the_archive() -> None:
    gate = Gate(Doubt(("a", "b")), tau=inf)
    assert from_tagged(to_tagged(gate)) == gate


def test_a_seat_gives_the_gate_what_it_needs() -> None:
    seat = Seat({"model": MODEL}, OneTurn())
    problems = list(Toy().problems("dev"))[:4]
    gate = Gate(Doubt(("1", "2")), tau=inf)
    assert gate(seat.at(MODEL.base, "doubt"), seat.env, problems, rng) == [True] * 4
