"""A judge that is a language model, asked to grade by a rubric in words."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sharpen.core.ports import Sampler
from sharpen.core.records import Attempt, Chat, Sampling, Verdict, user

RUBRIC = """Review the answer below. Start from 0 points and add one for each that holds:
1. it is relevant to the question;
2. it covers a substantial part of it;
3. it answers what is asked, whatever its style;
4. it is clear and complete;
5. it is correct in every step.

Question: {question}

Answer under review: {answer}

Give a short reason, then end with "score: <points>"."""
"""Five additive points, after the rubric of arXiv:2401.10020, in our words."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The score is the mean of the grades a policy gives, `how.n` times; grades that do not parse are left out, and an
    attempt without any has a score of nan, which no selector keeps."""

    judge: Sampler
    how: Sampling = Sampling(n=3, temperature=0.7, max_tokens=128)
    rubric: str = RUBRIC
    most: float = 5.0

    def __call__(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        """Verdicts in order; `note` is the first judgement's words."""
        chats = [self._question(attempt) for attempt in attempts]
        verdicts = []
        for group in self.judge.sample(chats, self.how):
            grades = [grade for grade in (self._grade(said.text) for said in group) if grade is not None]
            score = sum(grades) / len(grades) if grades else math.nan
            verdicts.append(Verdict(score, note=group[0].text))
        return verdicts

    def _question(self, attempt: Attempt) -> Chat:
        asked = "\n".join(message.text for message in attempt.problem.chat)
        return (user(self.rubric.format(question=asked, answer=attempt.text)),)

    def _grade(self, text: str) -> float | None:
        found = re.findall(r"score:\s*(\d+(?:\.\d+)?)", text.lower())
        grade = float(found[-1]) if found else math.nan
        return grade if 0 <= grade <= self.most else None
