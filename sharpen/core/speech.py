"""The words in which more than an answer is asked for, and how the replies are read.

Short requests that any instructed model understands; the embedded model was raised on these very words. `question` is a
problem's text, `solution` what was said about it, steps and answer.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Chat, Message, user

DIRECTLY = "Answer directly."
PROGRAM = "Write a program."
PLAN = "Say the whole plan."
CAREFULLY = "Check as you go."
REFINE = "[refine]"
"""Stands behind a wrong step (or a whole wrong solution) that is then put right."""
BEHAVIOURS = ("tens first", "results only", "say what is left")
"""Named ways to work a sum: add tens, then ones; write results alone; write what is left after each step."""
STRATEGIES = ("direct", "steps", "program")
ENOUGH, NOT_ENOUGH = "enough", "not enough"
RIGHT = "Every step is right."
ANSWER_WRONG = "The answer is wrong."
AGAIN = "Try again."
SURE = "Are you sure?"

QUESTION = "{question}"
"""Stands in a prompt where the question goes."""

_WRONG = re.compile(r"Step ([0-9]{1,3}) is wrong")
_GRADE = re.compile(r"\b([1-5])\b")


def asked(question: str, request: str) -> Chat:
    """A question with a request behind it, such as DIRECTLY."""
    return (user(f"{question}\n{request}"),)


def check(question: str, solution: str) -> Chat:
    """Is it right, and where does it first go wrong? `first_wrong` reads the reply."""
    return (user(f"{question}\n{solution}\nIs this right?"),)


def feedback(question: str, solution: str) -> Chat:
    """Say what is wrong with it. The reply can be given to `again`."""
    return (user(f"{question}\n{solution}\nGive feedback."),)


def again(question: str, solution: str, words: str = "") -> Chat:
    """A second try, told that the first is wrong, and with feedback in words where there is some."""
    return (user(question), Message("assistant", solution), user(f"{words} {AGAIN}".lstrip()))


def reconsidered(question: str, solution: str) -> Chat:
    """A second try that is not told whether the first is wrong."""
    return (user(question), Message("assistant", solution), user(SURE))


def more_like(questions: Sequence[str]) -> Chat:
    """One more problem like these."""
    listed = "\n".join(f"Task: {question}" for question in questions)
    return (user(f"Write one more task like these.\n{listed}\nTask:"),)


def of_level(family: str, level: int) -> Chat:
    """A problem of a family at a level, without an example."""
    return (user(f"Write a task of {family} at level {level}."),)


def of_topics(topics: Sequence[str]) -> Chat:
    """A problem of one of these kinds: no example, no level."""
    return (user(f"Write a task of {', '.join(topics)}."),)


def with_answer(topics: Sequence[str]) -> Chat:
    """A problem of one of these kinds and its answer in one reply; `propose.pose.read` reads it."""
    return (
        user(
            f"Write a new task of {', '.join(topics)} that takes two or three steps. Write 'Task:' and the task, then "
            "'Solution:' and its steps. End with one line that has nothing but 'Answer:' and the answer."
        ),
    )


def shown(examples: Sequence[tuple[str, str]], question: str) -> Chat:
    """A question behind demonstrations: questions and solutions as turns of the chat."""
    turns = [turn for asked, solution in examples for turn in (user(asked), Message("assistant", solution))]
    return (*turns, user(question))


def posed(prompt: Chat, question: str) -> Chat:
    """A prompt with the question in its place; raises InvalidInput unless there is one such place."""
    places = sum(message.text.count(QUESTION) for message in prompt)
    if places != 1:
        raise InvalidInput(f"expected a prompt with {QUESTION} in it once, got it {places} times")
    return tuple(replace(message, text=message.text.replace(QUESTION, question)) for message in prompt)


def behaving(question: str, behaviour: str) -> Chat:
    """A question with a named behaviour to follow, of BEHAVIOURS."""
    return (user(f"{question}\nUse: {behaviour}."),)


def behaviour_of(question: str, solution: str) -> Chat:
    """What is the behaviour called that this solution used?"""
    return (user(f"{question}\n{solution}\nWhat was used?"),)


def background(question: str) -> Chat:
    """What must be known first? The reply is a question of one fact, to be asked by `fact`."""
    return (user(f"{question}\nWhat must be known first?"),)


def fact(subject: str) -> Chat:
    """A question of one fact, such as `boss of Ada`."""
    return (user(f"{subject}?"),)


def informed(question: str, evidence: Sequence[str]) -> Chat:
    """A question behind the facts that are known."""
    return (user("\n".join(["Known:", *evidence, question])),)


def sufficient(question: str, evidence: Sequence[str]) -> Chat:
    """Are these facts enough to answer? The reply is ENOUGH or NOT_ENOUGH."""
    return (user("\n".join(["Known:", *evidence, question, "Is this enough?"])),)


def chosen(question: str, first: str, second: str) -> Chat:
    """Which of two solutions is better, A or B?"""
    return (user(f"{question}\nA:\n{first}\nB:\n{second}\nWhich is better?"),)


def graded(question: str, solution: str) -> Chat:
    """A grade from 1 to 5. `grade` reads the reply."""
    return (user(f"{question}\n{solution}\nGrade it from 1 to 5."),)


def longer(question: str, text: str) -> Chat:
    """The same text, gone on with."""
    return (user(f"{question}\n{text}\nMake this longer."),)


def best_way(question: str) -> Chat:
    """Which of STRATEGIES suits a question?"""
    return (user(f"{question}\nWhich way is best: direct, steps or program?"),)


def first_wrong(reply: str) -> int | None:
    """The place, from 0, of the first wrong step that a check or feedback names; -1 where it says that all is right, -2
    where only the answer is said to be wrong; None where it says none of these."""
    found = _WRONG.search(reply)
    if found:
        return int(found[1]) - 1
    return -1 if RIGHT in reply else -2 if ANSWER_WRONG in reply else None


def grade(reply: str) -> int | None:
    """The one number from 1 to 5 of a reply; None for all else."""
    found = _GRADE.findall(reply)
    return int(found[0]) if len(found) == 1 else None
