from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from sharpen.core.records import Chat, Completion, Finish, Message, Piece, Problem, Sampling, Weights, user
from sharpen.core.speech import more_like
from sharpen.core.streams import stream
from sharpen.propose.similar import Drawn, Similar
from tests.spoken import BY

SYSTEM = Message("system", "Tools: add, subtract.")
SEED = Problem("p", (SYSTEM, user("what is 1+1?")), "sums", 2.0, {"candidates": ["add", "subtract"]})
rng = partial(stream, "test")


@dataclass
class Writer:
    """Says the same texts to whatever it is asked."""

    texts: Sequence[str]
    finish: Finish = Finish.END
    weights: Weights = BY
    asked: list[Chat] = field(default_factory=list)
    how: Sampling = field(default_factory=Sampling)

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        self.asked, self.how = list(chats), how
        return [[Completion(Piece(text), self.finish) for text in self.texts[: how.n]] for _ in chats]


def test_what_is_written_takes_the_questions_place_and_all_else_stays() -> None:
    writer = Writer(["Task: what is 2+2?"])
    [[made]] = Similar()(writer, [SEED], 1, rng)
    assert made.chat == (SYSTEM, user("what is 2+2?"))
    assert made.notes == SEED.notes and made.id != SEED.id
    assert writer.asked == [more_like(["what is 1+1?"])]


def test_what_is_empty_or_repeats_the_given_one_is_left_out_and_twins_are_one() -> None:
    writer = Writer(["what  is 1+1?", "", "what is 2+2?", "what is 2+2? "])
    [made] = Similar()(writer, [SEED], 4, rng)
    assert [problem.chat[-1].text for problem in made] == ["what is 2+2?"]
    assert writer.how.n == 4


def test_what_was_cut_off_is_left_out() -> None:
    assert Similar()(Writer(["what is"], Finish.LENGTH), [SEED], 1, rng) == [[]]


def test_the_same_question_is_asked_once_and_the_words_name_the_problem() -> None:
    writer = Writer(["what is 2+2?"])
    bare = Problem("q", (user("what is 1+1?"),))
    [[one], [other]] = Similar()(writer, [SEED, bare], 1, rng)
    assert len(writer.asked) == 1
    assert one.id != other.id  # the system message is part of what is asked
    assert Similar()(writer, [bare], 1, rng)[0][0].id == other.id


def test_others_are_drawn_by_the_problems_name_and_never_the_problem_itself() -> None:
    pool = tuple(Problem(str(i), (user(str(i)),)) for i in range(12))
    drawn = Drawn(pool)(Writer([]), pool, 2, rng)
    assert drawn[::-1] == Drawn(pool)(Writer([]), pool[::-1], 2, rng)
    assert all(len(set(group)) == 2 and problem not in group for problem, group in zip(pool, drawn, strict=True))
    assert drawn != Drawn(pool)(Writer([]), pool, 2, partial(stream, "again"))
    assert Drawn(pool[:1])(Writer([]), pool[:1], 2, rng) == [[]]
