"""Who meets whom, what is asked and revealed, how the ratings follow from the games, and which prompt is delivered."""

from collections import Counter
from dataclasses import replace
from itertools import combinations

import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.method import Round
from sharpen.core.records import Attempt, Problem, Sampling, Verdict
from sharpen.core.streams import stream
from sharpen.judge.agreement import kappa
from sharpen.judge.duel import Bout, Rating, rated
from sharpen.methods.prompt_tournament import Config, State, run
from sharpen.sample.prompted import Prompted
from tests.methods.watching import Place, WatchedToy, place, rounds

TEMPLATES = (
    "{question}",
    "{question} so",
    "{question} then",
    "{question} again",
    "{question} first",
    "{question} next",
)
WORTH = dict(zip(TEMPLATES, (0.2, 0.3, 0.4, 1.1, 0.5, 0.6), strict=True))
BEST = TEMPLATES.index("{question} again")
SMALL = Config(templates=TEMPLATES, shots=(), problems=50, draws=40)


class Graded(WatchedToy):
    """An attempt's score follows from how it was asked, and from luck."""

    def _verdict(self, attempt: Attempt) -> Verdict:
        asked, question = attempt.turns[0].seen[-1].text, attempt.problem.chat[-1].text
        score = WORTH[asked.replace(question, "{question}")] + stream(asked).random()
        return Verdict(score, score > 1)


class Alike(WatchedToy):
    """Everything scores the same."""

    def _verdict(self, attempt: Attempt) -> Verdict:
        return Verdict(1.0, True)


def state(last: Round) -> State:
    assert isinstance(last.state, State)
    return last.state


def met(bouts: tuple[Bout, ...]) -> Counter[frozenset[int]]:
    return Counter(frozenset((bout.one, bout.other)) for bout in bouts)


def asked(there: Place) -> list[Problem]:
    return [mark.attempt.problem for marks in there.task.judged for mark in marks]


def test_the_best_prompt_wins_and_the_solver_asks_by_it() -> None:
    there = place(toy=Graded)
    last = rounds(run(there.lab, SMALL), 5)[-1]
    assert last.metrics["best"] == BEST and last.metrics["tied"] == 1
    assert min(last.metrics[f"superiority/{rival}"] for rival in range(6) if rival != BEST) >= 0.95
    assert isinstance(last.solver, Prompted) and last.solver.prompt.template == TEMPLATES[BEST]
    attempts = last.solver.answer(there.lab.seat, there.lab.dev[:3])
    assert all(one.turns[0].seen[-1].text.endswith(" again") for one in attempts)


def test_a_period_rates_all_prompts_from_where_they_stood_before_it() -> None:
    first, second = (state(one) for one in rounds(run(place(toy=Graded).lab, SMALL), 2))
    assert first.ratings == rated((Rating(),) * 6, first.bouts)
    assert second.bouts[:30] == first.bouts
    assert second.ratings == rated(first.ratings, second.bouts[30:])


def test_after_five_problems_every_pair_of_six_has_met_once_and_periods_go_on_where_the_cycle_stood() -> None:
    played = rounds(run(place(toy=Graded).lab, replace(SMALL, problems=15)), 5)
    assert set(met(state(played[-1]).bouts).values()) == {3}
    assert [len(state(one).bouts) for one in played] == [9, 18, 27, 36, 45]
    for one in state(played[-1]).bouts[::3]:
        assert len({bout.one for bout in state(played[-1]).bouts if bout.context == one.context}) == 3


def test_the_better_score_won_every_game() -> None:
    there = place(toy=Graded)
    bouts = state(rounds(run(there.lab, SMALL), 1)[0]).bouts
    scores = {
        (mark.attempt.problem.id, mark.attempt.turns[0].seen[-1].text): mark.verdict.score
        for mark in there.task.judged[0]
    }
    questions = {problem.id: problem.chat[-1].text for problem in there.lab.train}
    for bout in bouts:
        one, other = (
            scores[bout.context, TEMPLATES[player].replace("{question}", questions[bout.context])]
            for player in (bout.one, bout.other)
        )
        assert bout.score == (one > other)


def test_sides_are_drawn_at_random() -> None:
    bouts = state(rounds(run(place(toy=Graded).lab, SMALL), 5)[-1]).bouts
    assert 0.35 < sum(bout.one < bout.other for bout in bouts) / len(bouts) < 0.65


def test_in_the_full_design_all_meet_over_each_problem_and_each_output_is_judged_once() -> None:
    there = place(toy=Graded)
    last = rounds(run(there.lab, replace(SMALL, pairing="full", problems=10)), 1)[0]
    assert met(state(last).bouts) == Counter({frozenset(pair): 2 for pair in combinations(range(6), 2)})
    assert len(there.task.judged[0]) == 12


def test_adaptive_games_go_on_and_only_outputs_that_are_paired_are_made() -> None:
    there = place(toy=Graded)
    played = rounds(run(there.lab, replace(SMALL, pairing="adaptive")), 3)
    assert [len(state(one).bouts) for one in played] == [30, 60, 90]
    for marks, one in zip(there.task.judged, played, strict=True):
        own = state(one).bouts[-30:]
        assert len(marks) == len({(bout.context, player) for bout in own for player in (bout.one, bout.other)})


def test_equal_scores_are_draws_and_leave_everybody_tied() -> None:
    last = rounds(run(place(toy=Alike).lab, SMALL), 1)[0]
    assert last.metrics["draws"] == 1 and last.metrics["tied"] == 6 and last.metrics["spread"] == 0
    assert "bradley_terry/tau" not in last.metrics and "kappa" not in last.metrics


def test_it_ends_once_every_deviation_is_small_enough() -> None:
    played = rounds(run(place(toy=Graded).lab, replace(SMALL, enough=130.0)), 5)
    doubts = [max(rating.deviation for rating in state(one).ratings) for one in played]
    assert len(played) < 5 and doubts[-1] <= 130 and all(doubt > 130 for doubt in doubts[:-1])


def test_examples_are_revealed_once_and_never_asked() -> None:
    there = place()
    config = Config(templates=("{question}",), shots=(1, 2), problems=20, draws=10)
    first = state(rounds(run(there.lab, config), 1)[0])
    assert len(there.task.revealed) == 2
    assert [len(prompt.examples) for prompt in first.prompts] == [0, 1, 2]
    assert first.prompts[1].examples == first.prompts[2].examples[:1]
    rounds(run(there.lab, config, first), 4)
    assert len(there.task.revealed) == 2
    assert not set(there.task.revealed) & set(asked(there))


def test_it_resumes_to_the_same_state() -> None:
    second = rounds(run(place(toy=Graded).lab, SMALL), 2)
    again = rounds(run(place(toy=Graded).lab, SMALL, state(second[0])), 1)
    assert again[0].state == second[1].state and again[0].metrics == second[1].metrics


def test_the_baselines_choose_by_mean_score_and_by_share_of_games_won() -> None:
    for config in (replace(Config.absolute(), **_small()), replace(Config.win_rate(), **_small())):
        there = place(toy=Graded)
        last = rounds(run(there.lab, config), 5)[-1]
        assert last.metrics["best"] == BEST
    won = [
        sum(b.score if b.one == k else 1 - b.score for b in state(last).bouts if k in (b.one, b.other))
        for k in range(6)
    ]
    assert last.metrics[f"win_rate/{BEST}"] == pytest.approx(won[BEST] / 50)


def test_absolute_scores_are_each_outputs_own() -> None:
    there = place(toy=Graded)
    last = rounds(run(there.lab, replace(Config.absolute(), **_small())), 5)[-1]
    marks = [mark for marks in there.task.judged for mark in marks]
    assert len(marks) == 6 * 50 and not state(last).bouts
    own = [mark.verdict.score for mark in marks if mark.attempt.turns[0].seen[-1].text.endswith(" again")]
    assert last.metrics[f"score/{BEST}"] == pytest.approx(sum(own) / 50)


def test_the_model_itself_can_judge_and_several_judges_are_compared() -> None:
    there = place()
    config = replace(SMALL, judges=("labels", "reply"), doubled=0.5, how=Sampling(max_tokens=8))
    last = rounds(run(there.lab, config), 1)[-1]
    assert there.task.judged == [] and there.task.revealed == []
    assert all(bout.score in (0, 0.5, 1) for bout in state(last).bouts)
    differing = round((1 - last.metrics["identical"]) * last.metrics["games"])
    assert len(state(last).doubles) == (differing + 1) // 2 > 0


def test_the_agreement_of_two_judges_is_reported() -> None:
    there = place(toy=Graded)
    config = replace(SMALL, judges=("oracle", "labels"), doubled=1.0, how=Sampling(max_tokens=8))
    last = rounds(run(there.lab, config), 1)[0]
    doubles = state(last).doubles
    assert {0.0, 1.0} <= {score for both in doubles for score in both}
    assert last.metrics["kappa"] == pytest.approx(kappa(doubles))


def test_outputs_of_the_same_wording_draw() -> None:
    there = place()
    last = rounds(run(there.lab, replace(SMALL, templates=("{question}", "{question}"), judges=("labels",))), 1)[0]
    assert last.metrics["identical"] == last.metrics["draws"] == 1
    assert last.metrics["rating/0"] == last.metrics["rating/1"] == 1500


def test_what_a_tournament_needs_follows_from_its_judges_and_shots() -> None:
    assert Config().needs == {"reveal"}
    assert replace(SMALL, judges=("labels", "judge")).needs == {"choices", "judge"}
    assert SMALL.needs == frozenset()


def test_too_few_train_problems_are_refused() -> None:
    there = place()
    lab = replace(there.lab, train=there.lab.train[:6])
    with pytest.raises(InvalidInput, match="each of 5 periods beside 2 shown, got 6"):
        next(run(lab, replace(SMALL, shots=(2,))))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"templates": ("{question}",)}, ">= 2 prompts"),
        ({"templates": ("a", "b")}, "must hold {question} once"),
        ({"shots": (0,)}, "shots must be >= 1"),
        ({"periods": 0}, "periods must be in"),
        ({"judges": ()}, "judges must be one or more"),
        ({"judges": ("oracle", "oracle")}, "each once"),
        ({"rank": "scores", "judges": ("oracle", "labels")}, "name one"),
        ({"doubled": 1.5}, "doubled must be in"),
        ({"tau": 0.0}, "tau must be > 0"),
        ({"enough": 350.0}, "enough must be in"),
        ({"how": Sampling(n=2)}, "n must be 1"),
    ],
)
def test_settings_that_make_no_tournament_are_refused(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        replace(SMALL, **wrong)  # type: ignore[arg-type]  # they are wrong on purpose


def _small() -> dict[str, object]:
    return {"templates": TEMPLATES, "shots": (), "problems": 50, "draws": 40}
