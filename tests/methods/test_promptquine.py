"""PromptQuine and its rivals on the toy task, read by a model that is swayed by one letter of the prompt."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest

from sharpen.control.evolve import Breeding, elite_count
from sharpen.core.errors import InvalidInput
from sharpen.core.method import Lab, Round, Seat
from sharpen.core.records import Chat, Problem, Stop, Weights
from sharpen.core.speech import QUESTION
from sharpen.core.streams import Stream
from sharpen.core.tokens import Floats
from sharpen.methods.promptquine import Config, State, run
from sharpen.models.linear import linear_model
from sharpen.propose.prune import Original
from sharpen.sample.label import ForcedChoice
from tests.methods.watching import MODEL, Place, Watched, place, rounds
from tests.toys import NUMBERS, Toy

LETTER, ENOUGH = "d", 6
"""The letter that misleads: the right label is said where a prompt has it at most so often, the question included."""
BREEDING = Breeding(population=4, children=8)
SMALL = Config(labelled=40, validation=30, explored=41, every=2, shortest=0.0, breeding=BREEDING)


@dataclass
class Reader:
    """A policy that knows the question by its last key word, and gives the right label `slope` nats for each letter
    short of ENOUGH: the fewer, the better; all other labels 0."""

    weights: Weights
    asked: list[str]
    slope: float

    def choices(self, chats: Sequence[Chat], labels: Sequence[str]) -> list[Floats]:
        texts = ["\n".join(message.text for message in chat) for chat in chats]
        self.asked += texts
        return [self._row(text, labels) for text in texts]

    def _row(self, text: str, labels: Sequence[str]) -> Floats:
        row = np.zeros(len(labels), dtype=np.float32)
        row[labels.index(NUMBERS[max(NUMBERS, key=text.rfind)])] = self.slope * (ENOUGH + 0.5 - text.count(LETTER))
        return row


class Swayed(Watched):
    """The linear model, read so."""

    def __init__(self, slope: float) -> None:
        super().__init__(MODEL.bind(lambda work, paid: None))
        self.asked: list[str] = []
        self.slope = slope

    def at(self, weights: Weights, stream: Stream = ()) -> Reader:
        return Reader(weights, self.asked, self.slope)


def swayed(slope: float = 0.05, seed: int = 0) -> tuple[Lab, Swayed, Place]:
    there, model = place(), Swayed(slope)
    seat = Seat({"model": model}, there.task.env, seed)  # type: ignore[dict-item]  # it passes on what it has not itself
    return replace(there.lab, seat=seat), model, there


def state(last: Round) -> State:
    assert isinstance(last.state, State)
    return last.state


def prompt(last: Round) -> str:
    """The text that is delivered."""
    assert isinstance(last.solver, ForcedChoice)
    return last.solver.prompt[0].text


def ids(problems: Sequence[Problem]) -> set[str]:
    return {problem.id for problem in problems}


def test_evolution_finds_a_fitter_prompt_than_the_start_and_adds_nothing() -> None:
    lab, _, _ = swayed()
    played = list(run(lab, SMALL))
    start, last = prompt(played[0]), played[-1]
    assert last.metrics["prompt/fitness"] > played[0].metrics["prompt/fitness"]
    assert prompt(last).count(LETTER) < start.count(LETTER)
    for one in (*played, last):
        letters = iter(start)
        assert all(letter in letters for letter in prompt(one))  # in its order, nothing new
        assert prompt(one).count(QUESTION) == 1


def test_the_start_shows_the_first_of_each_label_and_is_measured_on_the_others() -> None:
    lab, model, there = swayed()
    (first,) = rounds(run(lab, SMALL), 1)
    shown = prompt(first).removesuffix(f"{QUESTION}\nAnswer: ").strip().split("\n\n")
    questions = [example.split("\n")[0] for example in shown]
    assert {example.split("Answer: ")[1] for example in shown} == set(state(first).gold)
    assert len(questions) == 8 and len(model.asked) == SMALL.labelled - 8
    measured = {text.removesuffix("\nAnswer: ").split("\n")[-1] for text in model.asked}
    assert not measured & set(questions)
    assert measured | set(questions) == {problem.chat[0].text for problem in there.task.revealed}


def test_the_elites_are_ranked_on_problems_that_were_not_labelled() -> None:
    lab, _, there = swayed()
    played = list(run(lab, SMALL))
    (accepted, *ranked) = there.task.judged
    assert ids([mark.attempt.problem for mark in accepted]) == ids(there.task.revealed)
    assert played[0].metrics["labels/accepted"] == 1.0
    for marks in ranked:
        assert len(marks) == 30 and not ids([mark.attempt.problem for mark in marks]) & ids(there.task.revealed)


def test_the_champion_is_the_elite_that_is_right_most_often_on_them() -> None:
    lab, _, there = swayed()
    played = list(run(lab, SMALL))
    last, scores = state(played[-1]), [np.mean([m.verdict.score for m in marks]) for marks in there.task.judged[1:]]
    elites = last.best[: elite_count(last.explored, SMALL.elites)]
    assert last.champion is not None and last.champion.score == pytest.approx(max(e.score or 0 for e in elites))
    assert last.champion.score in scores
    rivals = [elite for elite in elites if elite.score == last.champion.score]
    assert last.champion.fitness == max(rival.fitness for rival in rivals)
    assert len(scores) == len(set(there_prompts(there)))  # none is ranked twice


def there_prompts(there: Place) -> list[str]:
    """Of each call of the oracle but the first, the first problem as it was asked, without the question."""
    firsts = [marks[0].attempt for marks in there.task.judged[1:]]
    return [attempt.turns[0].seen[0].text.replace(attempt.problem.chat[0].text, QUESTION) for attempt in firsts]


def test_rankings_come_every_so_many_rounds_and_at_the_end() -> None:
    lab, _, _ = swayed()
    champions = [state(one).champion for one in run(lab, replace(SMALL, every=3, explored=33))]
    assert [champion is not None for champion in champions] == [False, False, False, True, True]
    lab, _, _ = swayed()
    champions = [state(one).champion for one in run(lab, replace(SMALL, every=0, explored=33))]
    assert [champion is not None for champion in champions] == [False] * 4 + [True]


def test_all_parents_die() -> None:
    lab, _, _ = swayed()
    played = [state(one) for one in run(lab, SMALL)]
    for before, after in pairwise(played):
        parents = [mask for mask, _ in before.population]
        assert len(after.population) == BREEDING.population
        for mask, _ in after.population:
            cut = [
                parent.count("1") - mask.count("1")
                for parent in parents
                if int(mask, 2) & int(parent, 2) == int(mask, 2)
            ]
            assert mask not in parents and any(1 <= size <= 4 for size in cut)


def test_what_is_explored_is_what_was_evaluated() -> None:
    for config in (SMALL, replace(SMALL, search="masks"), replace(SMALL, search="demonstrations")):
        lab, model, there = swayed()
        last = state(list(run(lab, config))[-1])
        ranked = sum(len(marks) for marks in there.task.judged[1:])
        assert last.explored == config.explored
        assert len(model.asked) - ranked == config.explored * (config.labelled - 8)


def test_it_ends_where_the_population_is_short() -> None:
    lab, _, _ = swayed()
    config = replace(SMALL, explored=2000, shortest=60.0, elites=0.0)
    played = list(run(lab, config))
    assert played[-1].metrics["population/tokens"] <= 60 < played[-2].metrics["population/tokens"]
    assert played[-1].metrics["prompt/explored"] < 2000


def test_a_thinned_population_is_tried_beside_the_start() -> None:
    lab, _, _ = swayed()
    (first,) = rounds(run(lab, replace(SMALL, breeding=replace(BREEDING, start="thinned"))), 1)
    masks = [mask for mask, _ in state(first).population]
    assert state(first).explored == 5 and len(masks) == 4 and all("0" in mask for mask in masks)


def test_climbing_drops_exactly_the_tokens_that_harm() -> None:
    lab, model, _ = swayed()
    config = replace(Config.climb(), labelled=40, explored=2000, breeding=Breeding(children=30))
    played = list(run(lab, config))
    original = Original.of(state(played[0]).prompt, lab.model.encoder)
    tokens = [
        original.encoder.decode(stretch[at : at + 1]) for stretch in original.stretches[0] for at in range(len(stretch))
    ]
    mask = "".join("0" if LETTER in token else "1" for token in tokens)
    assert "0" in mask and prompt(played[-1]) == original.kept(mask)[0].text
    sweeps = len(original) + mask.count("1")  # the second drops nothing, and is the last
    assert state(played[-1]).explored == 1 + sweeps and len(model.asked) == (1 + sweeps) * 32
    assert [state(one).at for one in played[:3]] == [0, 30, 60]


def test_where_nothing_harms_threshold_accepting_drops_all_and_climbing_nothing() -> None:
    for config, left in ((Config.ta_pruning(), QUESTION), (Config.climb(), None)):
        lab, _, _ = swayed(slope=0.0)
        played = list(run(lab, replace(config, labelled=40, explored=2000, breeding=Breeding(children=500))))
        assert prompt(played[-1]) == (left or prompt(played[0]))
        assert state(played[-1]).champion is None


def test_the_rivals_draw_and_the_start_alone_is_a_round() -> None:
    lab, _, _ = swayed()
    (only,) = run(lab, replace(Config.unpruned(), labelled=40))
    begun = state(only).prompt
    assert prompt(only) == begun[0].text
    masked = list(run(swayed()[0], replace(SMALL, search="masks")))
    assert all(0 < mask.count("0") < len(mask) for one in masked[1:] for mask, _ in state(one).population)
    others = list(run(swayed()[0], replace(SMALL, search="demonstrations")))
    prompts = {one.prompt[0].text for one in state(others[-1]).best}
    assert len(prompts) == elite_count(SMALL.explored, SMALL.elites)
    assert all(text.count("\n\n") == 8 and text.endswith(f"{QUESTION}\nAnswer: ") for text in prompts)


def test_seeds_start_from_other_demonstrations_and_one_seed_from_the_same() -> None:
    starts = [prompt(rounds(run(swayed(seed=seed)[0], SMALL), 1)[0]) for seed in (0, 1, 0)]
    assert starts[0] == starts[2] != starts[1]


def test_turns_of_a_chat_keep_their_roles() -> None:
    lab, _, _ = swayed()
    solver = list(run(lab, replace(SMALL, form="turns")))[-1].solver
    assert isinstance(solver, ForcedChoice)
    assert [message.role for message in solver.prompt] == ["user", "assistant"] * 9


def test_going_on_asks_for_no_answer_twice() -> None:
    lab, _, there = swayed()
    first, second = rounds(run(lab, SMALL), 2)
    asked = len(there.task.revealed)
    (again,) = rounds(run(lab, SMALL, state(first)), 1)
    assert asked == SMALL.labelled == len(there.task.revealed)
    assert again.state == second.state and again.metrics == second.metrics


def test_tasks_and_settings_that_do_not_fit_are_refused_in_a_sentence() -> None:
    lab, _, _ = swayed()
    for wrong, why in (
        (replace(SMALL, labelled=2), "labels that recur"),
        (replace(SMALL, labelled=len(Toy().problems("train"))), "label fewer"),
        (replace(SMALL, shots=40), "show fewer"),
    ):
        with pytest.raises(InvalidInput, match=why):
            next(run(lab, wrong))
    for bad in ({"explored": 0}, {"elites": 1.5}, {"tolerance": 1.0}, {"shots": -1}):
        with pytest.raises(InvalidInput):
            replace(SMALL, **bad)  # type: ignore[arg-type]  # of several types


def test_questions_that_leave_no_room_for_a_label_earn_nothing_and_end_no_run() -> None:
    model = linear_model()
    there = place(model)
    full = []
    for context in (2048, 8):
        model.body.context = context  # type: ignore[misc]  # a smaller one for the test
        last = list(run(there.lab, replace(SMALL, explored=9)))[-1]
        stops = [answer.stop for answer in last.solver.answer(there.lab.seat, there.lab.dev)]
        full.append(stops.count(Stop.FULL) / len(there.lab.dev))
    assert full == [0.0, 1.0] and last.metrics["prompt/fitness"] == last.metrics["prompt/validation"] == 0.0
