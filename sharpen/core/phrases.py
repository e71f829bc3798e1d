"""The words in which behaviours are found, used and read back: general English ones, and the embedded model's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from string import Formatter

from sharpen.core import speech
from sharpen.core.errors import InvalidInput
from sharpen.core.records import Behaviour, Chat, user


@dataclass(frozen=True, slots=True)
class Phrases:
    """Templates, their fields in braces, and how replies are read.

    solve      of {question}: how a question is asked when behaviours are looked for, once in each way
    reflect    of {question}, {solution} and {known} names; empty: nothing is asked before `extract`
    extract    of {question}, {solution} and {reflection}
    found      regular expression of one behaviour of the reply, with a group `name` and maybe one `instruction`; a line
               begins at ^ and ends at $, case does not count
    entry      of {name} and {instruction}: one behaviour in a prompt
    use        of {question} and {behaviours}, the entries a line each
    brief      of {question}: asks for a short solution, without any behaviour
    revise     what is said to a solution that should be looked over
    placebo    behaviours that fit any question and help with none
    most       most behaviours that one prompt names; None: all
    """

    solve: tuple[str, ...]
    reflect: str
    extract: str
    found: str
    entry: str
    use: str
    brief: str
    revise: str
    placebo: tuple[Behaviour, ...]
    most: int | None = None

    def __post_init__(self) -> None:
        for field in ("solve", "revise", "placebo"):
            if not getattr(self, field):
                raise InvalidInput(f"phrases.{field} must not be empty")
        for template in self.solve:
            _check("solve", template, {"question"})
        if self.reflect:
            _check("reflect", self.reflect, {"question", "solution"}, {"known"})
        _check("extract", self.extract, {"question", "solution"}, {"reflection"})
        _check("entry", self.entry, {"name"}, {"instruction"})
        _check("use", self.use, {"question", "behaviours"})
        _check("brief", self.brief, {"question"})
        if self.most is not None and self.most < 1:
            raise InvalidInput(f"phrases.most must be >= 1, or none for all, got {self.most}")
        try:
            groups = re.compile(self.found).groupindex
        except re.error as error:
            raise InvalidInput(f"phrases.found must be a regular expression, got {self.found!r}: {error}") from None
        if "name" not in groups:
            raise InvalidInput(f"phrases.found needs a group (?P<name>...), got {self.found!r}")

    def reflecting(self, question: str, solution: str, known: Sequence[Behaviour]) -> Chat:
        """Is this sound, is it right, what could be shorter, and which behaviours would help?"""
        names = ", ".join(behaviour.name for behaviour in known) or "none"
        return (user(self.reflect.format(question=question, solution=solution, known=names)),)

    def extracting(self, question: str, solution: str, reflection: str) -> Chat:
        """Which behaviours are in this? `read` reads the reply."""
        return (user(self.extract.format(question=question, solution=solution, reflection=reflection)),)

    def read(self, reply: str) -> list[Behaviour]:
        """The behaviours that a reply names, each name once, in order; empty where it names none."""
        named: dict[str, Behaviour] = {}
        for match in re.finditer(self.found, reply, re.MULTILINE | re.IGNORECASE):
            name = " ".join(match["name"].lower().split())
            instruction = " ".join((match.groupdict().get("instruction") or "").split())
            named.setdefault(name, Behaviour(name, instruction.strip("\"'`*, ")))
        return list(named.values())

    def using(self, chat: Chat, behaviours: Sequence[Behaviour]) -> Chat:
        """The question with behaviours to use, at most `most`; as it was where there are none."""
        if not behaviours:
            return chat
        named = behaviours[: self.most]
        listed = "\n".join(self.entry.format(name=one.name, instruction=one.instruction) for one in named)
        return rewritten(chat, self.use, behaviours=listed)


def rewritten(chat: Chat, template: str, **given: str) -> Chat:
    """The chat with its last question put into a template of {question}; raises InvalidInput where none is asked."""
    at = max((place for place, message in enumerate(chat) if message.role in ("user", "text")), default=None)
    if at is None:
        raise InvalidInput("expected a chat with a user's message to put into other words, got none")
    asked = template.format(question=chat[at].text, **given)
    return (*chat[:at], replace(chat[at], text=asked, tokens=None), *chat[at + 1 :])


def _check(field: str, template: str, needed: set[str], allowed: frozenset[str] | set[str] = frozenset()) -> None:
    try:
        named = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise InvalidInput(f"phrases.{field} must be a template, got {template!r}: {error}") from None
    if not needed <= named <= needed | allowed:
        wanted, known = (", ".join(f"{{{name}}}" for name in sorted(names)) for names in (needed, needed | allowed))
        raise InvalidInput(f"phrases.{field} must name {wanted}, and nothing but {known}; got {template!r}")


def _request(chat: Chat) -> str:
    """The text of a chat of one message."""
    return chat[0].text


ENGLISH = Phrases(
    solve=("{question}",),
    reflect="""Here is a problem and a solution to it. Reflect on the solution, in four short parts.
1. Correctness: does every step hold, and is the answer right?
2. Length: what could be left out, or done in fewer steps?
3. Behaviours: which reusable ways of working would have helped? Known ones are: {known}.
4. New behaviours: which are missing there, and would help with other problems too?

Problem:
{question}

Solution:
{solution}""",
    extract="""Here is a problem, a solution to it, and a reflection on the solution. Write down the behaviours \
that can be used again: short instructions that help with many problems of this kind. Write one a line, in the form
behavior_<name>: <one sentence that says when to use it and how>
Keep to what is general: repeat no number and no answer of this problem.

Problem:
{question}

Solution:
{solution}

Reflection:
{reflection}""",
    found=r"^[^\w\n]*(?:\d+[.)][^\w\n]*)?behaviou?r_(?P<name>[a-z0-9_]{1,60})[^\w\n]*:[^\w\n]*(?P<instruction>\w.{0,299})$",
    entry="behavior_{name}: {instruction}",
    use="""{question}

These behaviours may help:
{behaviours}

Use those that apply, and name each where you use it. Give the answer in the form that is asked for.""",
    brief="""{question}

Be brief: write no more than it takes to reach the answer.""",
    revise="Look for mistakes in this solution and improve it. Give the answer in the form that was asked for.",
    placebo=(
        Behaviour("read_the_question", "Read the question from beginning to end before you answer it."),
        Behaviour("think_first", "Think about the problem before you write anything down."),
        Behaviour("write_clearly", "Write so that somebody else can read what you wrote."),
        Behaviour("answer_the_question", "Give an answer to the question that was asked."),
    ),
)
"""For any instructed model; in our words, after what the paper's prompts ask for (arXiv:2509.13237)."""

NANO = Phrases(
    solve=("{question}", *(_request(speech.behaving("{question}", way)) for way in speech.BEHAVIOURS)),
    reflect="",
    extract=_request(speech.behaviour_of("{question}", "{solution}")),
    found=r"\A\s*(?P<name>[a-z]+(?: [a-z]+)*)\s*\Z",
    entry="{name}",
    use=_request(speech.behaving("{question}", "{behaviours}")),
    brief=_request(speech.asked("{question}", speech.DIRECTLY)),
    revise=speech.SURE,
    placebo=(Behaviour("red apples"),),
    most=1,
)
"""For the embedded model, which names a way but writes no instruction, and never takes one unasked: a question is asked
in each of the ways it knows."""
