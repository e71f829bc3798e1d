"""Trials of the skills of speech on the embedded world: what is asked, and what a reply is worth."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sharpen.core import speech
from sharpen.core.judging import final_answer
from sharpen.core.records import Chat, Message
from sharpen.core.streams import Rng
from sharpen.tasks import solutions
from sharpen.tasks.arithmetic import Arithmetic
from sharpen.tasks.behaviours import behaved, follows
from sharpen.tasks.executor import printed
from sharpen.tasks.families import FAMILIES
from sharpen.tasks.family import Family, pick
from sharpen.tasks.lists import OPERATIONS, applied, demonstrated
from sharpen.tasks.lookup import Lookup, hops
from sharpen.tasks.stories import Stories


@dataclass(frozen=True, slots=True)
class Trial:
    """What is asked, and what a reply to it is worth, 0 to 1."""

    chat: Chat
    worth: Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Trials:
    """The trials of a skill, and what they are compared with: other trials, or a number."""

    asked: Sequence[Trial]
    against: Sequence[Trial] | float


def _solves(family: Family, question: str) -> Callable[[str], float]:
    return lambda reply: float(family.right(question, final_answer(reply) or ""))


def _is(gold: str) -> Callable[[str], float]:
    return lambda reply: float(reply.strip() == gold)


def _answers(gold: str) -> Callable[[str], float]:
    return lambda reply: float(final_answer(reply) == gold)


def _constant(golds: Sequence[str]) -> float:
    """What the best single reply would score."""
    return max(Counter(golds).values()) / len(golds)


def _direct(rng: Rng, n: int) -> Trials:
    asked = []
    for _ in range(n):
        family = FAMILIES[pick(("arithmetic", "stories", "lists"), rng)]
        text = solutions.drawn(family, rng, 2, "test")
        asked.append(Trial(speech.asked(text, speech.DIRECTLY), _solves(family, text)))
    return Trials(asked, 0.0)


def _program(rng: Rng, n: int) -> Trials:
    texts = [solutions.drawn(Stories(), rng, 3, "test") for _ in range(n)]
    return Trials([Trial(speech.asked(text, speech.PROGRAM), _prints(text)) for text in texts], 0.0)


def _prints(text: str) -> Callable[[str], float]:
    def worth(reply: str) -> float:
        try:
            return float(str(printed(reply)) == Stories().work(text).answer)
        except ValueError:
            return 0.0

    return worth


def _check(rng: Rng, n: int) -> Trials:
    drawn = [solutions.perhaps_wrong(rng, "test") for _ in range(n)]
    golds = [speech.first_wrong(solutions.checked(family.work(text), said)) for family, text, said in drawn]
    asked = [
        Trial(speech.check(text, said.text), _finds(gold)) for (_, text, said), gold in zip(drawn, golds, strict=True)
    ]
    return Trials(asked, _constant(list(map(str, golds))))


def _finds(gold: int | None) -> Callable[[str], float]:
    return lambda reply: float(speech.first_wrong(reply) == gold)


def _feedback(rng: Rng, n: int) -> Trials:
    drawn = [solutions.perhaps_wrong(rng, "test") for _ in range(n)]
    golds = [solutions.feedback(family.work(text), said) for family, text, said in drawn]
    asked = [
        Trial(speech.feedback(text, said.text), _is(gold)) for (_, text, said), gold in zip(drawn, golds, strict=True)
    ]
    return Trials(asked, _constant(golds))


def _correct(rng: Rng, n: int) -> Trials:
    """Against a first answer to the same question."""
    drawn = [solutions.wrong(rng, "test") for _ in range(n)]
    asked = [Trial(speech.again(text, said.text), _solves(family, text)) for family, text, said in drawn]
    return Trials(asked, [Trial(speech.shown((), text), _solves(family, text)) for family, text, _ in drawn])


def _correct_with(rng: Rng, n: int) -> Trials:
    """Against the same without feedback."""
    drawn = [solutions.wrong(rng, "test") for _ in range(n)]
    told = [
        Trial(
            speech.again(text, said.text, solutions.feedback(family.work(text), said)),
            _solves(family, text),
        )
        for family, text, said in drawn
    ]
    return Trials(told, [Trial(speech.again(text, said.text), _solves(family, text)) for family, text, said in drawn])


def _reconsider(rng: Rng, n: int) -> Trials:
    """Against what was right before."""
    drawn = [solutions.perhaps_wrong(rng, "test") for _ in range(n)]
    asked = [Trial(speech.reconsidered(text, said.text), _solves(family, text)) for family, text, said in drawn]
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


def _propose(rng: Rng, n: int) -> Trials:
    """The share that are new problems of the same kind."""
    asked = []
    for _ in range(n):
        family = FAMILIES[pick(("arithmetic", "stories", "countdown", "logic", "lists"), rng)]
        kind, level = pick(family.kinds, rng), solutions.level_of(family, rng, 3)
        shown = [solutions.question(family, kind, level, rng) for _ in range(3)]
        asked.append(Trial(speech.more_like(shown), _fits(family, kind, shown)))
    return Trials(asked, 0.0)


def _fits(family: Family, kind: str, shown: Sequence[str]) -> Callable[[str], float]:
    def worth(reply: str) -> float:
        try:
            return float(family.place(family.tidy(reply))[0] == kind and reply not in shown)
        except ValueError:
            return 0.0

    return worth


def _propose_level(rng: Rng, n: int) -> Trials:
    asked = []
    for _ in range(n):
        family = FAMILIES[pick(("arithmetic", "stories", "countdown"), rng)]
        level = 1 + int(5 * rng.random())
        asked.append(Trial(speech.of_level(family.name, level), _is_of_level(family, level)))
    return Trials(asked, 1 / 5)


def _is_of_level(family: Family, level: int) -> Callable[[str], float]:
    def worth(reply: str) -> float:
        try:
            return float(family.place(family.tidy(reply))[1] == level)
        except ValueError:
            return 0.0

    return worth


def _demonstrations(rng: Rng, n: int) -> Trials:
    """A hidden operation shown truly, against another operation shown in its place."""
    truly, falsely = list[Trial](), list[Trial]()
    for _ in range(n):
        lists = [solutions.pick_items(rng) for _ in range(5)]
        operation, other = pick(OPERATIONS, rng), pick(OPERATIONS, rng)
        while applied(other, lists[4]) == applied(operation, lists[4]):
            other = pick(OPERATIONS, rng)
        gold = " ".join(applied(operation, lists[4]))
        for shown, trials in ((operation, truly), (other, falsely)):
            text = demonstrated(shown, lists[:4], lists[4])
            trials.append(Trial(speech.shown((), text), _answers(gold)))
    return Trials(truly, falsely)


def _behaviour(rng: Rng, n: int) -> Trials:
    """The share of solutions in the way that is named, against those in that way when none is named."""
    drawn = [(solutions.drawn(Arithmetic(), rng, 3, "test"), pick(speech.BEHAVIOURS, rng)) for _ in range(n)]
    told = [Trial(speech.behaving(text, way), _in_that_way(text, way)) for text, way in drawn]
    return Trials(told, [Trial(speech.shown((), text), _in_that_way(text, way)) for text, way in drawn])


def _in_that_way(text: str, way: str) -> Callable[[str], float]:
    return lambda reply: float(follows(text, reply, way))


def _name_behaviour(rng: Rng, n: int) -> Trials:
    drawn = [(solutions.drawn(Arithmetic(), rng, 3, "test"), pick(speech.BEHAVIOURS, rng)) for _ in range(n)]
    return Trials([Trial(speech.behaviour_of(text, behaved(text, way)), _is(way)) for text, way in drawn], 1 / 3)


def _background(rng: Rng, n: int) -> Trials:
    texts = [solutions.drawn(Lookup(), rng, 4, "test") for _ in range(n)]
    golds = [hops(text)[0] for text in texts]
    asked = [Trial(speech.background(text), _is(gold)) for text, gold in zip(texts, golds, strict=True)]
    return Trials(asked, _constant(golds))


def _informed(rng: Rng, n: int) -> Trials:
    """The answer that facts in sight lead to, against what is said without them."""
    told, untold = list[Trial](), list[Trial]()
    for _ in range(n):
        text = solutions.drawn(Lookup(), rng, 3, "test")
        facts = solutions.invented(text, rng)
        gold = facts[-1].rpartition(": ")[2]
        for chat, trials in ((speech.informed(text, facts), told), (speech.shown((), text), untold)):
            trials.append(Trial(chat, _answers(gold)))
    return Trials(told, untold)


def _suffice(rng: Rng, n: int) -> Trials:
    asked = []
    for number in range(n):
        text = solutions.drawn(Lookup(), rng, 3, "test")
        facts = list(solutions.invented(text, rng))
        if number % 2:
            place = int(len(facts) * rng.random())
            while solutions.leads(text, facts):
                facts[place] = solutions.invented(solutions.drawn(Lookup(), rng, 2, "test"), rng)[0]
        gold = speech.NOT_ENOUGH if number % 2 else speech.ENOUGH
        asked.append(Trial(speech.sufficient(text, facts), _is(gold)))
    return Trials(asked, 0.5)


def _choose(rng: Rng, n: int) -> Trials:
    asked = []
    for number in range(n):
        family, text, other = solutions.wrong(rng, "test")
        pair = (family.work(text).text, other.text)
        chat = speech.chosen(text, *(pair if number % 2 else pair[::-1]))
        asked.append(Trial(chat, _is("A" if number % 2 else "B")))
    return Trials(asked, 0.5)


def _grade(rng: Rng, n: int) -> Trials:
    drawn = [solutions.perhaps_wrong(rng, "test") for _ in range(n)]
    golds = [str(solutions.grade(family.work(text), said)) for family, text, said in drawn]
    asked = [
        Trial(speech.graded(text, said.text), _is(gold)) for (_, text, said), gold in zip(drawn, golds, strict=True)
    ]
    return Trials(asked, _constant(golds))


SKILLS: Mapping[str, Callable[[Rng, int], Trials]] = {
    "direct": _direct,
    "program": _program,
    "check": _check,
    "feedback": _feedback,
    "correct": _correct,
    "correct_with": _correct_with,
    "reconsider": _reconsider,
    "spontaneous": _spontaneous,
    "propose": _propose,
    "propose_level": _propose_level,
    "demonstrations": _demonstrations,
    "behaviour": _behaviour,
    "name_behaviour": _name_behaviour,
    "background": _background,
    "informed": _informed,
    "suffice": _suffice,
    "choose": _choose,
    "grade": _grade,
}
