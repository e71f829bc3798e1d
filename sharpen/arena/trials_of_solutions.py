"""Trials of what a model can say about problems and solutions: solve, plan, check, correct, choose, grade."""

from collections.abc import Callable, Mapping

from sharpen.arena.trials import Trial, Trials, constant, exactly, solves
from sharpen.core import speech
from sharpen.core.records import Message
from sharpen.core.streams import Rng
from sharpen.tasks import solutions
from sharpen.tasks.executor import printed
from sharpen.tasks.families import FAMILIES
from sharpen.tasks.family import pick
from sharpen.tasks.grid import Grid
from sharpen.tasks.stories import Stories


def _direct(rng: Rng, n: int) -> Trials:
    asked = []
    for _ in range(n):
        family = FAMILIES[pick(("arithmetic", "stories", "lists"), rng)]
        text = solutions.drawn(family, rng, 2, "test")
        asked.append(Trial(speech.asked(text, speech.DIRECTLY), solves(family, text)))
    return Trials(asked, 0.0)


def _program(rng: Rng, n: int) -> Trials:
    texts = [solutions.drawn(Stories(), rng, 3, "test") for _ in range(n)]
    return Trials([Trial(speech.asked(text, speech.PROGRAM), _prints(text)) for text in texts], 0.0)


def _plan(rng: Rng, n: int) -> Trials:
    texts = [solutions.drawn(Grid(), rng, 3, "test") for _ in range(n)]
    return Trials([Trial(speech.asked(text, speech.PLAN), solves(Grid(), text)) for text in texts], 0.0)


def _prints(text: str) -> Callable[[str], float]:
    def worth(reply: str) -> float:
        try:
            return float(str(printed(reply)) == Stories().work(text).answer)
        except ValueError:
            return 0.0

    return worth


def _prefix(rng: Rng, n: int) -> Trials:
    """From the first right steps on, half of them, against from nothing."""
    begun, whole = list[Trial](), list[Trial]()
    while len(begun) < n:
        family, text = solutions.stepped(rng, "test")
        steps = family.work(text).steps
        if len(steps) > 1:
            start = "".join(f"{step}\n" for step in steps[: len(steps) // 2])
            asked = speech.shown((), text)
            begun.append(Trial((*asked, Message("assistant", start)), solves(family, text)))
            whole.append(Trial(asked, solves(family, text)))
    return Trials(begun, whole)


def _strategy(rng: Rng, n: int) -> Trials:
    asked, golds = list[Trial](), list[str]()
    for _ in range(n):
        family = FAMILIES[pick(("arithmetic", "stories", "lists"), rng)]
        level = solutions.level_of(family, rng)
        text = solutions.question(family, pick(family.kinds, rng), level, rng, "test")
        golds.append(solutions.strategy(family, level))
        asked.append(Trial(speech.best_way(text), exactly(golds[-1])))
    return Trials(asked, constant(golds))


def _check(rng: Rng, n: int) -> Trials:
    drawn = [solutions.perhaps_wrong(rng, "test") for _ in range(n)]
    golds = [speech.first_wrong(solutions.checked(family.work(text), said)) for family, text, said in drawn]
    asked = [
        Trial(speech.check(text, said.text), _finds(gold)) for (_, text, said), gold in zip(drawn, golds, strict=True)
    ]
    return Trials(asked, constant(list(map(str, golds))))


def _finds(gold: int | None) -> Callable[[str], float]:
    return lambda reply: float(speech.first_wrong(reply) == gold)


def _feedback(rng: Rng, n: int) -> Trials:
    drawn = [solutions.perhaps_wrong(rng, "test") for _ in range(n)]
    golds = [solutions.feedback(family.work(text), said) for family, text, said in drawn]
    asked = [
        Trial(speech.feedback(text, said.text), exactly(gold))
        for (_, text, said), gold in zip(drawn, golds, strict=True)
    ]
    return Trials(asked, constant(golds))


def _correct(rng: Rng, n: int) -> Trials:
    """Against a first answer to the same question."""
    drawn = [solutions.wrong(rng, "test") for _ in range(n)]
    asked = [Trial(speech.again(text, said.text), solves(family, text)) for family, text, said in drawn]
    return Trials(asked, [Trial(speech.shown((), text), solves(family, text)) for family, text, _ in drawn])


def _correct_with(rng: Rng, n: int) -> Trials:
    """Against the same without feedback."""
    drawn = [solutions.wrong(rng, "test") for _ in range(n)]
    told = [
        Trial(
            speech.again(text, said.text, solutions.feedback(family.work(text), said)),
            solves(family, text),
        )
        for family, text, said in drawn
    ]
    return Trials(told, [Trial(speech.again(text, said.text), solves(family, text)) for family, text, said in drawn])


def _reconsider(rng: Rng, n: int) -> Trials:
    """Against what was right before."""
    drawn = [solutions.perhaps_wrong(rng, "test") for _ in range(n)]
    asked = [Trial(speech.reconsidered(text, said.text), solves(family, text)) for family, text, said in drawn]
    return Trials(asked, sum(family.right(text, said.answer) for family, text, said in drawn) / n)


def _spontaneous(rng: Rng, n: int) -> Trials:
    """The mark right behind a wrong step, against the mark behind a right one."""
    behind_wrong, behind_right = list[Trial](), list[Trial]()
    while len(behind_wrong) < n:
        family, text, said = solutions.wrong(rng, "test")
        if said.wrong is not None and said.wrong < min(len(said.steps), len(family.work(text).steps)):
            chat = speech.asked(text, speech.CAREFULLY)
            for steps, trials in ((said.steps, behind_wrong), (family.work(text).steps, behind_right)):
                begun = "".join(f"{step}\n" for step in steps[: said.wrong + 1])
                trials.append(Trial((*chat, Message("assistant", begun)), _refines))
    return Trials(behind_wrong, behind_right)


def _refines(reply: str) -> float:
    return float(reply.lstrip().startswith(speech.REFINE))


def _choose(rng: Rng, n: int) -> Trials:
    asked = []
    for number in range(n):
        family, text, other = solutions.wrong(rng, "test")
        pair = (family.work(text).text, other.text)
        chat = speech.chosen(text, *(pair if number % 2 else pair[::-1]))
        asked.append(Trial(chat, exactly("A" if number % 2 else "B")))
    return Trials(asked, 0.5)


def _grade(rng: Rng, n: int) -> Trials:
    drawn = [solutions.perhaps_wrong(rng, "test") for _ in range(n)]
    golds = [str(solutions.grade(family.work(text), said)) for family, text, said in drawn]
    asked = [
        Trial(speech.graded(text, said.text), exactly(gold)) for (_, text, said), gold in zip(drawn, golds, strict=True)
    ]
    return Trials(asked, constant(golds))


SOLVING: Mapping[str, Callable[[Rng, int], Trials]] = {
    "direct": _direct,
    "program": _program,
    "plan": _plan,
    "prefix": _prefix,
    "strategy": _strategy,
    "check": _check,
    "feedback": _feedback,
    "correct": _correct,
    "correct_with": _correct_with,
    "reconsider": _reconsider,
    "spontaneous": _spontaneous,
    "choose": _choose,
    "grade": _grade,
}
