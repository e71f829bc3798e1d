"""Logic: what `and`, `or` and `not` come to, who is tallest, and what follows from `every`, a line for each step."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from sharpen.core.judging import MARK, final_answer
from sharpen.core.ports import Env
from sharpen.core.streams import Rng
from sharpen.tasks.family import Line, Worked, pick
from sharpen.tasks.lexicon import NAMES
from sharpen.tasks.orders import LEVELS, NAME, Case, draw_order, finished, order, some
from sharpen.tasks.single import SingleTurn
from sharpen.tasks.syllogisms import draw_syllogism, syllogism

LONGEST_QUESTION = 1500  # characters
LONGEST_LINE = 300  # characters
MOST_LINES = 60

SAYINGS = (
    "{a} asks {b}: Is {x} true?",
    "{a} tells {b}: {x}. Is this true?",
    "{a} tells {b}: {x}. Is {a} right?",
    "Is {x} true?",
)
HELD_OUT_SAYING = "{a} asks {b}: Is this right: {x}?"

_VALUES = {"not true": "false", "not false": "true"} | {
    f"{a} {word} {b}": "true" if (a + b).count("true") >= least else "false"
    for word, least in (("and", 2), ("or", 1))
    for a in ("true", "false")
    for b in ("true", "false")
}
_SAYING = re.compile(
    rf"(?:{NAME} asks {NAME}: )?Is ([a-z() ]+) true\?|({NAME}) tells {NAME}: ([a-z() ]+)\. "
    rf"Is (?:this true|\2 right)\?|{NAME} asks {NAME}: Is this right: ([a-z() ]+)\?"
)
_TRUTH = re.compile(r"(?:true|false|and|or|not|\(|\))(?: (?:true|false|and|or|not|\(|\)))*")
_OPERATOR = re.compile(r"and|or|not")
_WORD = re.compile(r"true|false")
_BRACKET = re.compile(r"\( (true|false) \)")
_MAY_BE_DONE = re.compile(
    r"not (?:true|false)|(?<!not )(?<!and )(?:true|false) and (?:true|false)"
    r"|(?<!not )(?<!and )(?<!or )(?:true|false) or (?:true|false)(?! and)"
)
_COMES_FIRST = re.compile(r"not (?:true|false)|(?:true|false) (?:and|or) (?:true|false)")
_SENTENCE_END = re.compile(r"(?<=[.?]) ")


@dataclass(frozen=True)
class Logic:
    """`boolean`, level operators; `order`, level comparisons of level + 1 people; `syllogism`, level links."""

    name = "logic"
    kinds = ("boolean", "order", "syllogism")
    levels = LEVELS
    instructions = (
        "Write one step per line: what is left of the expression, the people found so far as in Ada > Ben > Cal, "
        "or what follows as in wug -> dax. End with one line 'Answer: ' and a name, yes or no."
    )

    def draw(self, kind: str, level: int, rng: Rng, held_out: bool = False) -> str:
        """Right answers are yes and no evenly; the wording that is held out asks before it tells."""
        draws = {"boolean": _draw_boolean, "order": draw_order, "syllogism": draw_syllogism}
        return draws[kind](level, rng, held_out)

    def tidy(self, question: str) -> str:
        """Single spaces, also round brackets."""
        spaced = " ".join(question.replace("(", " ( ").replace(")", " ) ").split()) if len(question) < 2000 else ""
        spaced = re.sub(r" (?=[.?:])", "", spaced)
        try:
            self.place(spaced)
        except ValueError:
            return question
        return spaced

    def place(self, question: str) -> tuple[str, int, bool]:
        """The level is the number of steps that `work` takes."""
        case, held_out, gold = _understood(question)
        return case.kind, len(gold.steps), held_out

    def work(self, question: str) -> Worked:
        """Leftmost operation first; sentences in their order as soon as they join; from the one asked about onward."""
        return _understood(question)[2]

    def slip(self, question: str, rng: Rng) -> Worked:
        """One word turned, one person in the wrong place, or one wrong link: if possible such that the answer turns."""
        case, _, gold = _understood(question)
        place = int(len(gold.steps) * rng.random())
        before = gold.steps[place - 1] if place else case.start
        allowed = set(case.moves(before))
        wrong = [line for line in case.mistakes(before, gold.steps[place]) if line not in allowed]
        turn = int(len(wrong) * rng.random())
        tries = [finished(case, (*gold.steps[:place], line)) for line in (*wrong[turn:], *wrong[:turn])]
        return replace(next((a for a in tries if a.answer != gold.answer), tries[0]), wrong=place)

    def habit(self, question: str, rng: Rng) -> Worked:
        """Reads from left to right, brackets or not; takes the first person named; looks no further than a sentence
        that has both words, whichever way round."""
        made = _understood(question)[0].habit()
        lines = self.follow(question, "\n".join(made.steps))
        missed = None if self.right(question, made.answer) else len(made.steps)
        return replace(made, wrong=next((place for place, line in enumerate(lines) if not line.right), missed))

    def follow(self, question: str, text: str) -> list[Line]:
        """`left` is the line that is carried on. What stands after the answer is wrong."""
        case = _understood(question)[0]
        lines: list[Line] = []
        at, answered = case.start, False
        for said in islice(filter(None, map(str.strip, text.split("\n"))), MOST_LINES):
            if said.startswith(MARK):
                right = not answered and final_answer(said) == case.outcome(at)
                answered = True
            else:
                right = not answered and said in case.moves(at)
                at = said if right or (len(said) <= LONGEST_LINE and case.readable(said)) else at
            lines.append(Line(said, right, at))
        return lines

    def right(self, question: str, answer: str) -> bool:
        """The one word, white space round it apart."""
        return len(answer) <= LONGEST_LINE and answer.strip() == self.work(question).answer

    def reach(self, level: int) -> int:
        """The expressions are the longest: up to four tokens for each operator that is left, on every line."""
        return 2 * level * level + 8 * level + 16

    def world(self, max_tokens: int) -> Env:
        """One reply."""
        return SingleTurn(max_tokens)


def _understood(question: str) -> tuple[Case, bool, Worked]:
    """The case, whether its wording is held out, and its right solution."""
    found = (_boolean(question) or _told(question)) if len(question) <= LONGEST_QUESTION else None
    gold = finished(found[0], ()) if found else None
    if found is None or gold is None or len(gold.steps) not in LEVELS or not gold.answer:
        raise ValueError(f"expected a question of logic, got {question[:80]!r}")
    return (*found, gold)


@dataclass(frozen=True, slots=True)
class _Truth:
    """An expression, worked out an operation at a time."""

    start: str
    kind: str = "boolean"

    def moves(self, line: str) -> Iterator[str]:
        """What is left after each operation that may be done now, from left to right."""
        return (_done(line, found) for found in _MAY_BE_DONE.finditer(line))

    def outcome(self, line: str) -> str:
        """Yes or no, of a lone word."""
        return {"true": "yes", "false": "no"}.get(line, "")

    def readable(self, line: str) -> bool:
        """An expression that comes to a value."""
        return bool(_TRUTH.fullmatch(line) and finished(_Truth(line), ()).answer)

    def mistakes(self, line: str, after: str) -> list[str]:
        """The right line with one word turned."""
        turned = {"true": "false", "false": "true"}
        return [f"{after[: w.start()]}{turned[w[0]]}{after[w.end() :]}" for w in _WORD.finditer(after)]

    def habit(self) -> Worked:
        """Reads from left to right, brackets or not."""
        steps, line = [], self.start.replace("( ", "").replace(" )", "")
        while found := _COMES_FIRST.search(line):
            line = _done(line, found)
            steps.append(line)
        return Worked(tuple(steps), self.outcome(line))


def _done(line: str, found: re.Match[str]) -> str:
    """The expression after one operation; a bracket round a lone word goes."""
    return _unwrapped(f"{line[: found.start()]}{_VALUES[found[0]]}{line[found.end() :]}")


def _unwrapped(line: str) -> str:
    while _BRACKET.search(line):
        line = _BRACKET.sub(r"\1", line)
    return line


def _boolean(question: str) -> tuple[Case, bool] | None:
    found = _SAYING.fullmatch(question)
    if found is None:
        return None
    text = found[1] or found[3] or found[4]
    valid = _TRUTH.fullmatch(text) and len(_OPERATOR.findall(text)) in LEVELS
    return (_Truth(_unwrapped(text)), found[4] is not None) if valid else None


def _draw_boolean(level: int, rng: Rng, held_out: bool) -> str:
    uniform = rng.random
    value = uniform() < 0.5
    grow = _trapped if level > 1 and uniform() < 0.6 else _grown
    text, _ = grow(level, value, uniform)
    a, b = some(NAMES, 2, rng)
    return (HELD_OUT_SAYING if held_out else pick(SAYINGS, rng)).format(a=a, b=b, x=text)


def _grown(operators: int, value: bool, uniform: Callable[[], float]) -> tuple[str, int]:
    """An expression of this value, and how tightly it binds: 1 or, 2 and, 3 not, 4 a word."""
    if operators == 0:
        return ("true" if value else "false"), 4
    if uniform() < 0.3:
        inside, binds = _grown(operators - 1, not value, uniform)
        return (f"not {inside}" if binds > 2 else f"not ( {inside} )"), 3
    word = "and" if uniform() < 0.5 else "or"
    odd = 3 * uniform() if value != (word == "and") else 0.0
    share = int(operators * uniform())
    left = _grown(share, value != (odd > 2), uniform)
    return _joined(left, word, _grown(operators - 1 - share, value != (1 < odd <= 2), uniform))


def _trapped(operators: int, value: bool, uniform: Callable[[], float]) -> tuple[str, int]:
    """An expression of this value that comes to the other one when it is read from left to right."""
    inner, outer, last = ("and", "or", "false") if value else ("or", "and", "true")
    spare = operators - 2
    share = int((spare + 1) * uniform())
    group = _joined(_grown(share, uniform() < 0.5, uniform), inner, (last, 4))
    if share == spare and uniform() < 0.5:
        return f"not ( {group[0]} )", 3
    return _joined(_grown(spare - share, value, uniform), outer, group)


def _joined(left: tuple[str, int], word: str, right: tuple[str, int]) -> tuple[str, int]:
    binds = 2 if word == "and" else 1
    first = left[0] if left[1] >= binds else f"( {left[0]} )"
    second = right[0] if right[1] > binds else f"( {right[0]} )"
    return f"{first} {word} {second}", binds


def _told(question: str) -> tuple[Case, bool] | None:
    """A case of sentences and one question, which stands behind them or, where the wording is held out, before."""
    sentences = _SENTENCE_END.split(question)
    for ask, facts, held_out in ((sentences[-1], sentences[:-1], False), (sentences[0], sentences[1:], True)):
        case = order(facts, ask) or syllogism(facts, ask)
        if case is not None:
            return case, held_out
    return None
