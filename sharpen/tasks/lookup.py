"""Facts of a fixed world of people and places: asked by hops, half of them meant to be known, all to be searched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from sharpen.core.judging import MARK
from sharpen.core.ports import Env
from sharpen.core.streams import Rng, stream
from sharpen.tasks.family import Line, Worked, pick, trimmed
from sharpen.tasks.lexicon import ANIMALS, CITIES, COLOURS, COUNTRIES, FRUITS, NAMES
from sharpen.tasks.searching import SEARCH, Searching

LONGEST = 2000  # characters of a solution or a move that are read
LEVELS = range(1, 9)
NOTHING = "nothing found"

# Relation -> what its objects are, by what the subject is.
PERSON = {"friend": NAMES, "boss": NAMES, "city": CITIES, "pet": ANIMALS, "colour": COLOURS}
CITY = {"country": COUNTRIES, "fruit": FRUITS}
COUNTRY = {"colour": COLOURS}

# How a chain of friends and bosses may go on, from the inside out.
ENDINGS = ((), ("pet",), ("colour",), ("city",), ("city", "country"), ("city", "fruit"), ("city", "country", "colour"))
SEVERAL = {7: 2, 8: 3}
"""How many things are asked about the last person of a chain, at the levels where it is more than one."""
ASIDE = ("pet", "colour", "city")
"""What may then be asked."""
AND = " and the "
_FITTING = {level: tuple(ending for ending in ENDINGS if len(ending) <= level) for level in LEVELS}
PLACES = {
    1: ((CITIES, ("country",)), (CITIES, ("fruit",)), (COUNTRIES, ("colour",))),
    2: ((CITIES, ("country", "colour")),),
}
WORDINGS = (("What is the ", "?"), ("Find the ", "."), ("Give the ", "."), ("Name the ", "."))
HELD_OUT = (("Tell me the ", "."),)


def _shuffled(options: Sequence[str], rng: Rng) -> tuple[str, ...]:
    rest = list(options)
    return tuple(rest.pop(int(len(rest) * rng.random())) for _ in options)


def _ring(people: Sequence[str], rng: Rng) -> dict[str, str]:
    """Everybody's partner, such that nobody has themselves and no two have the same."""
    order = _shuffled(people, rng)
    return dict(zip(order, (*order[1:], order[0]), strict=True))


def _made() -> tuple[frozenset[str], Mapping[str, str]]:
    """The people that are known and all facts, `boss of Ada` to `Ben`, in a fixed order.

    The friends and bosses of the known are known, so a chain that begins among them stays there. The unknown have
    unknown friends and known bosses.
    """
    rng = stream("lookup", "world")
    order = _shuffled(NAMES, rng)
    known, unknown = order[::2], order[1::2]
    friends = _ring(known, rng) | _ring(unknown, rng)
    bosses = _ring(known, rng) | dict(zip(unknown, _shuffled(known, rng), strict=True))
    made: dict[str, str] = {}
    for person in NAMES:
        made |= {f"friend of {person}": friends[person], f"boss of {person}": bosses[person]}
        made |= {f"{relation} of {person}": pick(PERSON[relation], rng) for relation in ("city", "pet", "colour")}
    for city, country in zip(CITIES, _shuffled(COUNTRIES * 2, rng), strict=True):
        made |= {f"country of {city}": country, f"fruit of {city}": pick(FRUITS, rng)}
    for country in COUNTRIES:
        made[f"colour of {country}"] = pick(COLOURS, rng)
    return frozenset(known), MappingProxyType(made)


KNOWN, _FACTS = _made()
_PEOPLE = {"known": tuple(n for n in NAMES if n in KNOWN), "unknown": tuple(n for n in NAMES if n not in KNOWN)}


def facts() -> tuple[str, ...]:
    """All facts as lines such as `boss of Ada: Ben`, in a fixed order: people, cities, countries."""
    return tuple(f"{key}: {value}" for key, value in _FACTS.items())


def known(line: str) -> bool:
    """Whether a line is a fact that is meant to be in the weights: of a known person, a city or a country."""
    key, _, value = line.partition(": ")
    return _FACTS.get(key) == value and not _unknown(key.split(" ")[-1])


def search(query: str) -> str:
    """The fact, as a line, that a query such as `boss of Ada` asks for; `nothing found` for any other text."""
    key = query[:LONGEST].strip()
    return f"{key}: {_FACTS[key]}" if key in _FACTS else NOTHING


def hops(question: str) -> tuple[str, ...]:
    """The questions of one fact each, `boss of Ada` then `pet of Ben`, that a question comes down to, in order."""
    return tuple(line.partition(": ")[0] for line in Lookup().work(question).steps)


def _unknown(subject: str) -> bool:
    return subject in NAMES and subject not in KNOWN


@dataclass(frozen=True, slots=True)
class Asked:
    """A question understood: whom or what it begins with, and the relations from there outward; the last may name
    several things, such as `pet and the city`."""

    subject: str
    relations: tuple[str, ...]
    held_out: bool = False

    @property
    def facts(self) -> int:
        """How many facts it takes."""
        return sum(len(relation.split(AND)) for relation in self.relations)


def _asked(question: str) -> Asked:
    for opening, end in (*WORDINGS, *HELD_OUT):
        if question.startswith(opening) and question.endswith(end) and len(question) <= 200:
            first, *others = question[len(opening) : -len(end)].split(" of ")
            outward = [first, *(other.removeprefix("the ") for other in others[:-1])]
            asked = Asked(others[-1] if others else "", tuple(outward[::-1]), (opening, end) in HELD_OUT)
            if asked.facts in LEVELS and _told(asked, opening, end) == question and _leads(asked):
                return asked
    raise ValueError(f"expected a question such as 'What is the pet of the boss of Ada?', got {question[:80]!r}")


def _told(asked: Asked, opening: str = "", end: str = "") -> str:
    """The question in the words of a wording; without one, what is asked for."""
    return f"{opening}{' of the '.join(asked.relations[::-1])}{' of ' if asked.relations else ''}{asked.subject}{end}"


def _leads(asked: Asked) -> bool:
    """Whether each relation is one of what the one before leads to, and nothing is asked twice."""
    steps = _steps(asked.subject, asked.relations)
    return len(steps) == asked.facts and len(set(steps[-_several(asked.relations) :])) == _several(asked.relations)


def _several(relations: Sequence[str]) -> int:
    """How many things the last relation names."""
    return len(relations[-1].split(AND)) if relations else 0


def _steps(subject: str, relations: Sequence[str]) -> list[str]:
    """The facts from a subject outward, as lines, as far as there are any."""
    steps: list[str] = []
    for relation in relations:
        keys = [f"{one} of {subject}" for one in relation.split(AND)]
        if not all(key in _FACTS for key in keys):
            break
        steps += [f"{key}: {_FACTS[key]}" for key in keys]
        subject = " ".join(_FACTS[key] for key in keys)
    return steps


def _worked(steps: Sequence[str], several: int, wrong: int | None = None) -> Worked:
    """The answer has what the last so many steps tell."""
    return Worked(tuple(steps), " ".join(step.partition(": ")[2] for step in steps[-several:]), wrong)


@dataclass(frozen=True)
class Lookup:
    """`known`: everything asked for is meant to be in the weights. `unknown`: it begins with a person who is not."""

    name = "lookup"
    kinds = ("known", "unknown")
    levels = LEVELS
    instructions = (
        "Write one fact a line, such as 'boss of Ada: Ben', then a line 'Answer: ' and one word (where "
        "several things are asked, their words with spaces between). "
        "To look a fact up, end what you say with a line such as 'Search: boss of Ada' and wait."
    )

    def draw(self, kind: str, level: int, rng: Rng, held_out: bool = False) -> str:
        """Level is the number of facts. A quarter of the known questions at levels 1 and 2 begin with a place; levels 7
        and 8 ask SEVERAL things about the last person."""
        if kind not in self.kinds or level not in self.levels:
            raise ValueError(f"expected a kind of {self.kinds} at a level of 1 to 8, got {kind!r} at {level}")
        opening, end = HELD_OUT[0] if held_out else WORDINGS[int(len(WORDINGS) * rng.random())]
        if kind == "known" and level in PLACES and rng.random() < 0.25:
            subjects, relations = PLACES[level][int(len(PLACES[level]) * rng.random())]
            return _told(Asked(pick(subjects, rng), relations), opening, end)
        subject = pick(_PEOPLE[kind], rng)
        several = SEVERAL.get(level, 0)
        fitting = _FITTING[level]
        asked = (AND.join(_shuffled(ASIDE, rng)[:several]),) if several else ()
        ending = asked or fitting[int(len(fitting) * rng.random())]
        chain = tuple("friend" if rng.random() < 0.5 else "boss" for _ in range(level - max(several, len(ending))))
        return _told(Asked(subject, chain + ending), opening, end)

    def tidy(self, question: str) -> str:
        """Without white space around it and its lines."""
        return trimmed(question)

    def essence(self, question: str) -> str:
        """The subject and the relations."""
        asked = _asked(question)
        return " ".join((asked.subject, *asked.relations))

    def place(self, question: str) -> tuple[str, int, bool]:
        """A place is known."""
        asked = _asked(question)
        return "unknown" if _unknown(asked.subject) else "known", asked.facts, asked.held_out

    def work(self, question: str) -> Worked:
        """One fact a line, outward."""
        asked = _asked(question)
        return _worked(_steps(asked.subject, asked.relations), _several(asked.relations))

    def slip(self, question: str, rng: Rng) -> Worked:
        """One fact tells another person or thing of the same sort; the true facts of that one follow."""
        asked = _asked(question)
        steps = _steps(asked.subject, asked.relations)
        at = int(len(steps) * rng.random())
        key, _, value = steps[at].partition(": ")
        sort = next(sort for sort in (NAMES, CITIES, COUNTRIES, ANIMALS, COLOURS, FRUITS) if value in sort)
        other = pick([word for word in sort if word != value], rng)
        several = _several(asked.relations)
        rest = _steps(other, asked.relations[at + 1 :]) if at < len(steps) - several else steps[at + 1 :]
        return _worked([*steps[:at], f"{key}: {other}", *rest], several, at)

    def habit(self, question: str, rng: Rng) -> Worked:
        """Answers about the subject itself, with no more of the outer hops than that takes; where they all hang on the
        first, leaves out the last (or the last of several things); a lone hop is taken for the next relation of its
        subject, or, of a country, which has no other, for that of the next country."""
        asked = _asked(question)
        count = len(asked.relations)
        if asked.facts == 1:
            return _worked(_steps(*_beside(asked.subject, asked.relations[0])), 1, 0)
        outer = (asked.relations[-kept:] for kept in range(1, count))
        inner = asked.relations[:-1] or (asked.relations[0].rpartition(AND)[0],)
        short = next((some for some in outer if _leads(Asked(asked.subject, some))), inner)
        worked = _worked(_steps(asked.subject, short), _several(short))
        lines = enumerate(self.follow(question, worked.text))
        return replace(worked, wrong=next((at for at, line in lines if not line.right), None))

    def follow(self, question: str, text: str) -> list[Line]:
        """A search for a fact that is due is right and changes nothing, and so is the fact itself, which leads on to
        what the line says; several things are told in any order. What stands after the answer is wrong."""
        asked, told = _asked(question), dict[str, str]()
        lines: list[Line] = []
        closed = False
        for line in filter(None, map(str.strip, text[:LONGEST].split("\n"))):
            things = asked.relations[0].split(AND) if asked.relations else []
            due = {f"{thing} of {asked.subject}": thing for thing in things if thing not in told}
            key = next((key for key in due if line.startswith(f"{key}: ")), "")
            if line.startswith(MARK):
                right = not due and not closed and line.removeprefix(MARK).strip() == asked.subject
                closed = True
            else:
                right = not closed and any(line in (f"{SEARCH} {fact}", search(fact)) for fact in due)
                told |= {due[key]: line.removeprefix(f"{key}: ")[:40]} if key and not closed else {}
            if told and len(told) == len(things):
                asked, told = Asked(" ".join(told[thing] for thing in things), asked.relations[1:]), {}
            left = [AND.join(thing for thing in things if thing not in told)] if told else asked.relations[:1]
            rest = _told(Asked(asked.subject, (*left, *asked.relations[1:])))
            lines.append(Line(line, right, " ".join([*told.values(), rest])))
        return lines

    def right(self, question: str, answer: str) -> bool:
        """The one word, or those of several things as they are asked, white space round them apart."""
        return answer.strip() == self.work(question).answer

    def reach(self, level: int) -> int:
        """Six tokens a fact, and as many for its search."""
        return 14 * level + 16

    def world(self, max_tokens: int) -> Env:
        """One in which facts may be searched."""
        return Searching(max_tokens, search)


def _beside(subject: str, relation: str) -> tuple[str, tuple[str]]:
    """The subject and relation that the habit takes for these."""
    if subject in COUNTRIES:
        return COUNTRIES[(COUNTRIES.index(subject) + 1) % len(COUNTRIES)], (relation,)
    relations = tuple(PERSON if subject in NAMES else CITY)
    return subject, (relations[(relations.index(relation) + 1) % len(relations)],)
