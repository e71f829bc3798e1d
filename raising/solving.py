"""How the families are solved in the text `nano` is raised on: rightly, by bad habits and with slips, at rates."""

from dataclasses import dataclass
from random import Random

from sharpen.core.records import Message, Problem, user
from sharpen.tasks.family import Family, Worked
from sharpen.tasks.lookup import hops, search
from sharpen.tasks.solutions import level_of, question


@dataclass(frozen=True, slots=True)
class Faults:
    """How often a solution goes wrong: by the bad habit, by level (the last rate holds above), and by a slip."""

    habit: tuple[float, ...]
    slip: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """A chat; what the assistant says from message `start` on is learned."""

    chat: tuple[Message, ...]
    start: int


def replied(asked: tuple[Message, ...], said: str) -> Spoken:
    """One reply to a chat."""
    return Spoken((*asked, Message("assistant", said)), len(asked))


def attempted(family: Family, text: str, level: int, faults: Faults, rng: Random) -> Worked:
    """A solution with the mixture's faults."""
    if rng.random() < faults.habit[min(level, len(faults.habit)) - 1]:
        return family.habit(text, rng)
    return family.slip(text, rng) if rng.random() < faults.slip else family.work(text)


def solved(family: Family, kind: str, faults: Faults, rng: Random, top: int = 6) -> Spoken:
    """A problem of a level up to `top` and its solution, by acting where the world is one to act in."""
    level = level_of(family, rng, top)
    text = question(family, kind, level, rng)
    worked = attempted(family, text, level, faults, rng)
    if family.name == "grid":
        return played(family, text, worked.answer.split())
    if kind == "unknown":
        return searched(text, len(worked.steps))
    return replied((user(text),), worked.text)


def played(family: Family, text: str, moves: list[str]) -> Spoken:
    """Moves one by one, and what the world says to each."""
    world = family.world(64)
    scene = world.open(Problem("raised", (user(text),)))
    for move in moves:
        if scene.done:
            break
        scene = world.step_many([scene], [Message("assistant", move)])[0]
    chat = scene.chat if scene.chat[-1].role == "assistant" else scene.chat[:-1]
    return Spoken(chat, 1)


def searched(text: str, most: int) -> Spoken:
    """Fact after fact by the search tool, at most so many, and the answer."""
    chat: list[Message] = [user(text)]
    answer = ""
    for subject in hops(text)[:most]:
        found = search(subject)
        chat += [Message("assistant", f"Search: {subject}"), Message("tool", found)]
        answer = found.rpartition(": ")[2]
    return Spoken((*chat, Message("assistant", f"Answer: {answer}")), 1)


def remembered(facts: tuple[str, ...], rng: Random) -> Spoken:
    """One fact that is meant to be in the weights."""
    subject, _, value = facts[int(len(facts) * rng.random())].partition(": ")
    return replied((user(f"{subject}?"),), value)
