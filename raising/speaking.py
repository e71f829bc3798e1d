"""The skills of speech in the text `nano` is raised on: a function for each, to a chat with its reply."""

from collections.abc import Callable, Mapping
from random import Random

from raising.solving import Spoken, replied, searched
from sharpen.core import speech
from sharpen.tasks.arithmetic import Arithmetic
from sharpen.tasks.behaviours import behaved
from sharpen.tasks.families import FAMILIES
from sharpen.tasks.family import Family, pick
from sharpen.tasks.lookup import Lookup, hops
from sharpen.tasks.solutions import (
    STEPPED,
    checked,
    drawn,
    invented,
    leads,
    level_of,
    perhaps_wrong,
    question,
    wrong,
)
from sharpen.tasks.solutions import feedback as advice
from sharpen.tasks.solutions import grade as mark
from sharpen.tasks.solutions import strategy as suited
from sharpen.tasks.stories import Stories, program_of


def direct(rng: Random) -> Spoken:
    """The answer without steps."""
    family = _one(("arithmetic", "stories", "lists", "programs", "logic"), rng)
    text = drawn(family, rng, 3)
    return replied(speech.asked(text, speech.DIRECTLY), f"Answer: {family.work(text).answer}")


def program(rng: Random) -> Spoken:
    """A story as a program."""
    text = drawn(Stories(), rng, 5)
    return replied(speech.asked(text, speech.PROGRAM), program_of(text))


def plan(rng: Random) -> Spoken:
    """All moves at once."""
    text = drawn(FAMILIES["grid"], rng, 5)
    return replied(speech.asked(text, speech.PLAN), FAMILIES["grid"].work(text).text)


def check(rng: Random) -> Spoken:
    """Every step again as it should be, each said to be right or wrong, up to the first that is wrong."""
    family, text, said = perhaps_wrong(rng)
    return replied(speech.check(text, said.text), checked(family.work(text), said))


def feedback(rng: Random) -> Spoken:
    """The first wrong step, put right."""
    family, text, said = perhaps_wrong(rng)
    return replied(speech.feedback(text, said.text), advice(family.work(text), said))


def correct(rng: Random) -> Spoken:
    """A second try after a wrong first."""
    family, text, said = wrong(rng)
    return replied(speech.again(text, said.text), family.work(text).text)


def correct_with(rng: Random) -> Spoken:
    """A second try after a wrong first, with feedback."""
    family, text, said = wrong(rng)
    words = advice(family.work(text), said)
    return replied(speech.again(text, said.text, words), family.work(text).text)


def reconsider(rng: Random) -> Spoken:
    """A second look at a solution that may be right."""
    family, text, said = perhaps_wrong(rng)
    return replied(speech.reconsidered(text, said.text), family.work(text).text)


def spontaneous(rng: Random) -> Spoken:
    """A wrong step that is noticed and put right at once."""
    family = _one(STEPPED, rng)
    text = drawn(family, rng, 4)
    right, said = family.work(text), family.slip(text, rng)
    at = said.wrong
    if at is None or at >= len(said.steps) or rng.random() < 0.3:
        return replied(speech.asked(text, speech.CAREFULLY), right.text)
    lines = [*said.steps[: at + 1], speech.REFINE, *right.steps[at:], f"Answer: {right.answer}"]
    return replied(speech.asked(text, speech.CAREFULLY), "\n".join(lines))


def propose(rng: Random) -> Spoken:
    """One more problem of the kind and level of those shown."""
    family = _one(("arithmetic", "stories", "countdown", "logic", "lists"), rng)
    kind, level = pick(family.kinds, rng), level_of(family, rng, 4)
    shown = [question(family, kind, level, rng) for _ in range(1 + int(3 * rng.random()))]
    return replied(speech.more_like(shown), question(family, kind, level, rng))


def propose_level(rng: Random) -> Spoken:
    """A problem of a level that is named."""
    family = _one(("arithmetic", "stories", "countdown"), rng)
    level = level_of(family, rng)
    return replied(speech.of_level(family.name, level), question(family, pick(family.kinds, rng), level, rng))


def demonstrations(rng: Random) -> Spoken:
    """A solution behind one or two others of its kind."""
    family = _one(("arithmetic", "stories", "lists", "logic", "choice"), rng)
    kind, level = pick(family.kinds, rng), level_of(family, rng, 3)
    first, *rest = [question(family, kind, level, rng) for _ in range(2 + int(2 * rng.random()))]
    examples = [(text, family.work(text).text) for text in rest]
    return replied(speech.shown(examples, first), family.work(first).text)


def behaviour(rng: Random) -> Spoken:
    """A sum in a way that is named."""
    text, way = drawn(Arithmetic(), rng, 4), pick(speech.BEHAVIOURS, rng)
    return replied(speech.behaving(text, way), behaved(text, way))


def name_behaviour(rng: Random) -> Spoken:
    """The name of the way a sum was worked."""
    text, way = drawn(Arithmetic(), rng, 4), pick(speech.BEHAVIOURS, rng)
    return replied(speech.behaviour_of(text, behaved(text, way)), way)


def background(rng: Random) -> Spoken:
    """What must be known first."""
    text = drawn(Lookup(), rng, 4)
    return replied(speech.background(text), hops(text)[0])


def informed(rng: Random) -> Spoken:
    """An answer from facts in sight, which need not be those of the world."""
    text = drawn(Lookup(), rng, 3)
    facts = invented(text, rng)
    steps = list(facts)
    shown = sorted(facts, key=lambda _: rng.random())
    answer = facts[-1].rpartition(": ")[2]
    return replied(speech.informed(text, shown), "\n".join([*steps, f"Answer: {answer}"]))


def suffice(rng: Random) -> Spoken:
    """Whether the facts in sight lead to the answer."""
    text = drawn(Lookup(), rng, 3)
    facts = list(invented(text, rng))
    other = list(invented(drawn(Lookup(), rng, 2), rng))
    enough = rng.random() < 0.5
    if not enough:
        facts[int(len(facts) * rng.random())] = other[0]
    shown = sorted(facts, key=lambda _: rng.random())
    enough = leads(text, shown)
    return replied(speech.sufficient(text, shown), speech.ENOUGH if enough else speech.NOT_ENOUGH)


def search_for(rng: Random) -> Spoken:
    """Fact after fact by the search tool."""
    text = question(Lookup(), "unknown", level_of(Lookup(), rng, 5), rng)
    return searched(text, 8)


def choose(rng: Random) -> Spoken:
    """The right one of two solutions."""
    family, text, other = wrong(rng)
    right = family.work(text)
    first = rng.random() < 0.5
    pair = (right.text, other.text) if first else (other.text, right.text)
    return replied(speech.chosen(text, *pair), "A" if first else "B")


def grade(rng: Random) -> Spoken:
    """5 for what is right, else 1 to 4 by how far it is right."""
    family, text, said = perhaps_wrong(rng)
    return replied(speech.graded(text, said.text), str(mark(family.work(text), said)))


def extend(rng: Random) -> Spoken:
    """A text begun, written to its end."""
    family = FAMILIES["longform"]
    text = drawn(family, rng, 6)
    worked = family.work(text)
    kept = max(1, int(len(worked.steps) * rng.random()))
    return replied(speech.longer(text, "\n".join(worked.steps[:kept])), worked.text)


def strategy(rng: Random) -> Spoken:
    """The way that suits a question."""
    family = _one(("arithmetic", "stories", "lists"), rng)
    level = level_of(family, rng)
    text = question(family, pick(family.kinds, rng), level, rng)
    return replied(speech.best_way(text), suited(family, level))


SKILLS: Mapping[str, Callable[[Random], Spoken]] = {
    "direct": direct,
    "program": program,
    "plan": plan,
    "check": check,
    "feedback": feedback,
    "correct": correct,
    "correct_with": correct_with,
    "reconsider": reconsider,
    "spontaneous": spontaneous,
    "propose": propose,
    "propose_level": propose_level,
    "demonstrations": demonstrations,
    "behaviour": behaviour,
    "name_behaviour": name_behaviour,
    "background": background,
    "informed": informed,
    "suffice": suffice,
    "search": search_for,
    "choose": choose,
    "grade": grade,
    "continue": extend,
    "strategy": strategy,
}


def _one(names: tuple[str, ...], rng: Random) -> Family:
    return FAMILIES[pick(names, rng)]
