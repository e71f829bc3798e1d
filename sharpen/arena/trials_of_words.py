"""Trials of what a model makes of words: propose, follow demonstrations, behaviours and facts, look up, go on."""

from collections.abc import Callable, Mapping, Sequence

from sharpen.arena.trials import Trial, Trials, answers, constant, exactly
from sharpen.core import speech
from sharpen.core.judging import MARK
from sharpen.core.records import Message
from sharpen.core.streams import Rng
from sharpen.tasks import solutions
from sharpen.tasks.arithmetic import Arithmetic
from sharpen.tasks.behaviours import behaved, follows
from sharpen.tasks.families import FAMILIES
from sharpen.tasks.family import Family, pick
from sharpen.tasks.lists import OPERATIONS, applied, demonstrated
from sharpen.tasks.longform import Longform
from sharpen.tasks.lookup import Lookup, hops, search
from sharpen.tasks.searching import SEARCH


def _propose(rng: Rng, n: int) -> Trials:
    """The share that are new problems of the same kind."""
    asked = []
    for _ in range(n):
        family = FAMILIES[pick(("arithmetic", "stories", "countdown", "logic", "lists"), rng)]
        kind, level = pick(family.kinds, rng), solutions.level_of(family, rng, 3)
        shown = [solutions.question(family, kind, level, rng) for _ in range(3)]
        asked.append(Trial(speech.more_like(shown), _fits(family, kind, shown)))
    return Trials(asked, 0.0, varied=True)


def _fits(family: Family, kind: str, shown: Sequence[str]) -> Callable[[str], float]:
    def worth(reply: str) -> float:
        try:
            return float(family.place(family.tidy(reply))[0] == kind and reply not in shown)
        except ValueError:
            return 0.0

    return worth


def _propose_level(rng: Rng, n: int) -> Trials:
    """The share that are of the level asked for: three families by five levels, so fifteen requests in all."""
    asked = []
    for _ in range(n):
        family = FAMILIES[pick(("arithmetic", "stories", "countdown"), rng)]
        level = 1 + int(5 * rng.random())
        asked.append(Trial(speech.of_level(family.name, level), _is_of_level(family, level)))
    return Trials(asked, 1 / 5, varied=True)


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
            trials.append(Trial(speech.shown((), text), answers(gold)))
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
    return Trials([Trial(speech.behaviour_of(text, behaved(text, way)), exactly(way)) for text, way in drawn], 1 / 3)


def _background(rng: Rng, n: int) -> Trials:
    texts = [solutions.drawn(Lookup(), rng, 4, "test") for _ in range(n)]
    golds = [hops(text)[0] for text in texts]
    asked = [Trial(speech.background(text), exactly(gold)) for text, gold in zip(texts, golds, strict=True)]
    return Trials(asked, constant(golds))


def _informed(rng: Rng, n: int) -> Trials:
    """The answer that facts in sight lead to, against what is said without them."""
    told, untold = list[Trial](), list[Trial]()
    for _ in range(n):
        text = solutions.drawn(Lookup(), rng, 3, "test")
        facts = solutions.invented(text, rng)
        gold = facts[-1].rpartition(": ")[2]
        for chat, trials in ((speech.informed(text, facts), told), (speech.shown((), text), untold)):
            trials.append(Trial(chat, answers(gold)))
    return Trials(told, untold)


def _search(rng: Rng, n: int) -> Trials:
    """The next thing to look up, or the answer, behind what was found; against the same with nothing found yet."""
    behind, before = list[Trial](), list[Trial]()
    for _ in range(n):
        text = solutions.question(Lookup(), "unknown", solutions.level_of(Lookup(), rng, 4), rng, "test")
        due = hops(text)
        found = 1 + int(len(due) * rng.random())
        chat = list(speech.shown((), text))
        for subject in due[:found]:
            chat += [Message("assistant", f"{SEARCH} {subject}"), Message("tool", search(subject))]
        gold = f"{SEARCH} {due[found]}" if found < len(due) else f"{MARK} {Lookup().work(text).answer}"
        behind.append(Trial(tuple(chat), exactly(gold)))
        before.append(Trial(speech.shown((), text), exactly(gold)))
    return Trials(behind, before)


def _continue(rng: Rng, n: int) -> Trials:
    """The graded quality of the longer text, against that of the text it was given."""
    asked, given = list[Trial](), list[float]()
    for _ in range(n):
        text = solutions.drawn(Longform(), rng, 4, "test")
        steps = Longform().work(text).steps
        begun = "\n".join(steps[: max(1, len(steps) // 2)])
        given.append(Longform().score(text, [begun]))
        asked.append(Trial(speech.longer(text, begun), _graded(text)))
    return Trials(asked, sum(given) / n)


def _graded(text: str) -> Callable[[str], float]:
    return lambda reply: Longform().score(text, [reply])


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
        asked.append(Trial(speech.sufficient(text, facts), exactly(gold)))
    return Trials(asked, 0.5)


SPEAKING: Mapping[str, Callable[[Rng, int], Trials]] = {
    "propose": _propose,
    "propose_level": _propose_level,
    "demonstrations": _demonstrations,
    "behaviour": _behaviour,
    "name_behaviour": _name_behaviour,
    "background": _background,
    "informed": _informed,
    "suffice": _suffice,
    "search": _search,
    "continue": _continue,
}
