"""Whom TT-SI adapts to, what it needs, and that the arms of its ablations differ as they should."""

from dataclasses import replace
from itertools import islice

import pytest

from sharpen.arena.registry import configured, load, require
from sharpen.control.doubt import Doubt, Gate
from sharpen.core.errors import InvalidInput, LacksNeed
from sharpen.core.lessons import Term, demonstration
from sharpen.core.method import Lab, Round
from sharpen.core.objectives import Imitate
from sharpen.core.ports import Model
from sharpen.core.records import Stop
from sharpen.core.training import Adapter, Training
from sharpen.methods.tt_si import Config, State, run
from sharpen.models.linear import linear_model
from sharpen.models.local import LocalModel
from sharpen.sample.adapt import Adapted, Practice
from sharpen.sample.direct import Direct
from tests.methods.watching import Place, place
from tests.toys import NUMBERS, Toy
from tests.tutor import Tutor

TASK = Toy()
DOUBT = Doubt(tuple(NUMBERS.values()))
TRAINING = Training(epochs=5, batch=1, rate=1e-3, adapter=Adapter(targets=("out",)))
TT_D = replace(Config.tt_d(), gate=Gate(DOUBT), training=TRAINING)


@pytest.fixture(scope="module")
def half() -> LocalModel:
    """A model that knows the animals' numbers, and nothing of the colours'."""
    model = linear_model().bind(lambda work, paid: None)
    lessons = [demonstration(p.chat, TASK.reveal(p).answer) for p in TASK.problems("train") if p.family == "animal"]
    how = Training(steps=60, batch=16, rate=1e-4)
    return replace(model, base=model.learn(model.base, [Term(Imitate(), lessons)], how).weights)


def with_tutor(model: LocalModel, off: int = 0) -> tuple[Place, Lab]:
    """A place, and its lab with a teacher and every third problem of dev."""
    there = place(model)
    cast = {**there.lab.seat.cast, "teacher": Tutor(off)}
    seat = replace(there.lab.seat, cast=cast)  # type: ignore[arg-type]  # it is only asked
    return there, replace(there.lab, seat=seat, dev=there.lab.dev[::3])


def only(lab: Lab, config: Config, state: State | None = None) -> Round:
    return next(iter(run(lab, config, state)))


def gain(lab: Lab, last: Round) -> float:
    scores = [
        sum(verdict.score for verdict in Toy().judge(one.answer(lab.seat, lab.dev)))
        for one in (Direct(lab.model.base), last.solver)
    ]
    return (scores[1] - scores[0]) / len(lab.dev)


def test_the_unsure_half_gains_most_a_random_half_less_and_the_sure_half_nothing(half: LocalModel) -> None:
    gains, trained = {}, {}
    for inputs in ("unsure", "random", "sure"):
        there, lab = with_tutor(half)
        last = only(lab, replace(TT_D, gate=Gate(DOUBT, inputs)))  # type: ignore[arg-type]  # one of the three
        gains[inputs] = gain(lab, last)
        trained[inputs] = len(there.learnings)
    assert gains["unsure"] > gains["random"] + 0.1 > gains["sure"] + 0.2
    assert trained["random"] == trained["unsure"]
    assert abs(trained["sure"] - trained["unsure"]) <= 0.3 * len(lab.dev)


def test_the_threshold_is_the_quantile_of_margins_and_no_label_is_asked(half: LocalModel) -> None:
    there, lab = with_tutor(half)
    first, second = islice(run(lab, replace(TT_D, rounds=3, probe=12)), 2)
    assert isinstance(first.state, State) and isinstance(second.state, State)
    assert second.state.margins[:12] == first.state.margins and len(second.state.margins) == 24
    tau = second.metrics["doubt/tau"]
    assert tau == sorted(second.state.margins)[12]
    assert isinstance(second.solver, Adapted) and second.solver.picks == Gate(DOUBT, tau=tau)
    assert there.task.judged == [] and there.task.revealed == [] and there.learnings == []
    again = only(lab, replace(TT_D, rounds=3, probe=12), first.state)
    assert (again.state, again.metrics) == (second.state, second.metrics)


def test_a_run_ends_after_its_rounds() -> None:
    _, lab = with_tutor(linear_model())
    assert len(list(run(lab, replace(TT_D, rounds=2, probe=4)))) == 2


def test_inputs_too_long_to_be_doubted_practised_for_or_answered_end_no_run() -> None:
    model = linear_model()
    model.body.context = max(len(model.encoder.encode(problem.chat)) for problem in TASK.problems("dev"))  # type: ignore[misc]  # a smaller one for the test
    for config in (Config(), Config.in_context(), Config.random_examples()):
        lab = place(model).lab
        last = only(lab, replace(config, training=TRAINING, probe=16, measure=True))
        answers = last.solver.answer(lab.seat, lab.dev[::4])
        full = [answer.stop is Stop.FULL for answer in answers]
        assert any(full) and len(answers) == len(lab.dev[::4])
        assert config.use == "show" or not all(full)


def test_every_input_needs_no_margin_and_a_given_threshold_stays(half: LocalModel) -> None:
    _, lab = with_tutor(half)
    every = only(lab, replace(TT_D, gate=Gate(DOUBT, "all"), probe=8))
    assert every.metrics == {"adapt/share": 1.0, "adapt/examples": 1.0}
    assert isinstance(every.state, State) and every.state.margins == ()
    given = only(lab, replace(TT_D, gate=Gate(DOUBT, tau=0.95), probe=8))
    assert given.metrics["doubt/tau"] == 0.95


def test_together_learns_one_adapter_before_the_exam(half: LocalModel) -> None:
    there, lab = with_tutor(half)
    last = only(lab, replace(TT_D, use="together", probe=32))
    assert isinstance(last.state, State) and last.solver == Direct(last.state.weights)
    assert len(there.learnings) == 1 and len(there.learnings[0].lessons) == round(
        len(lab.dev) * last.metrics["adapt/share"]
    )
    assert last.metrics["steps"] == 5 * len(there.learnings[0].lessons)
    assert gain(replace(lab, dev=[p for p in lab.dev if p.family == "colour"]), last) > 0.3


def test_what_is_measured_is_what_the_oracle_says(half: LocalModel) -> None:
    there, lab = with_tutor(half)
    right = only(lab, replace(TT_D, measure=True, probe=24)).metrics
    assert right["doubt/auroc"] > 0.8 and right["right/picked"] < right["right/others"]
    assert right["examples/right"] == 1.0 and right["examples/admitted"] > 0.5
    assert right["adapt/mended"] > 0.2 and right["adapt/broken"] == 0.0
    _, lab = with_tutor(half, off=1)
    wrong = only(lab, replace(TT_D, measure=True, probe=24)).metrics
    assert wrong["examples/right"] == 0.0 == wrong["adapt/mended"]
    assert there.task.revealed == []


def test_random_examples_are_train_problems_that_the_model_answers_itself(half: LocalModel) -> None:
    there, lab = with_tutor(half)
    config = replace(Config.random_examples(), gate=Gate(DOUBT), practice=Practice(n=2), training=TRAINING)
    last = only(lab, replace(config, probe=8))
    assert isinstance(last.solver, Adapted) and last.solver.writer is None
    made = last.solver.examples(lab.seat, lab.dev)
    assert all(one.problem in lab.train and one.by == half.base for group in made for one in group)
    assert [len(group) for group in made] == [2] * len(made)
    assert there.task.judged == []


@pytest.mark.parametrize(
    ("variant", "needs"),
    [
        ("", {"sample", "logprobs", "learn"}),
        (":tt_d", {"sample", "logprobs", "learn", "teacher"}),
        (":in_context", {"sample", "logprobs"}),
        (":every_input", {"sample", "learn"}),
        (":random_inputs", {"sample", "logprobs", "learn"}),
        (":random_examples", {"sample", "logprobs", "learn"}),
    ],
)
def test_every_variant_needs_what_it_uses_and_no_more(variant: str, needs: set[str]) -> None:
    method = load(f"tt_si{variant}")
    config = method.default()
    assert isinstance(config, Config) and method.needs | config.needs == needs


def test_votes_need_no_likelihoods_and_what_is_measured_for_the_eye_does() -> None:
    votes = Gate(Doubt(weigh="votes"))
    assert Config(gate=votes, use="show").needs == frozenset()
    assert "logprobs" in replace(Config.every_input(), measure=True).needs
    assert "logprobs" in Config(gate=replace(votes, doubt=replace(DOUBT, weigh="votes"))).needs


def test_a_distillation_without_a_teacher_is_refused_and_a_teacher_without_one_too() -> None:
    model: Model = linear_model()
    method = load("tt_si:tt_d")
    with pytest.raises(LacksNeed, match="teacher"):
        require(method, method.default(), {"model": model}, TASK)
    with pytest.raises(InvalidInput, match="asks no teacher"):
        require(load("tt_si"), Config(), {"model": model, "teacher": model}, TASK)


def test_settings_reach_into_the_gate() -> None:
    given = {"gate": {"tau": 0.35, "doubt": {"candidates": ["Answer: A", "Answer: B"]}}, "practice": {"n": 4}}
    config = configured(load("tt_si"), given)
    assert isinstance(config, Config)
    assert config.gate == Gate(Doubt(("Answer: A", "Answer: B")), tau=0.35) and config.practice == Practice(n=4)
    assert Config.paper().gate.tau == 0.95 and Config.paper().training.schedule == "cosine"


def test_an_optimiser_that_goes_on_is_refused() -> None:
    with pytest.raises(InvalidInput, match="afresh"):
        Config(training=Training(inherit="moments"))
