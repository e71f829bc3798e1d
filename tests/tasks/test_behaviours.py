"""Named ways to work a sum: each is told from the others, and none changes the answer."""

import pytest

from sharpen.core.speech import BEHAVIOURS
from sharpen.core.streams import stream
from sharpen.tasks.arithmetic import Arithmetic
from sharpen.tasks.behaviours import behaved, follows


def test_a_worked_example_in_each_way() -> None:
    question = "Work out 47+38-2*6."
    assert behaved(question, "tens first") == "47+30=77\n77+8=85\n2*6=12\n85-10=75\n75-2=73\nAnswer: 73"
    assert behaved(question, "results only") == "85\n12\n73\nAnswer: 73"
    assert behaved(question, "say what is left") == "85-2*6\n85-12\n73\nAnswer: 73"


@pytest.mark.parametrize("way", BEHAVIOURS)
def test_a_way_is_followed_by_itself_and_leaves_the_answer_right(way: str) -> None:
    rng, family = stream("ways"), Arithmetic()
    for _ in range(200):
        question = family.draw("mixed", 3, rng)
        said = behaved(question, way)
        assert follows(question, said, way)
        assert family.right(question, said.rpartition("Answer: ")[2])


def test_the_usual_solution_is_no_named_way_where_there_are_tens_to_split() -> None:
    said = Arithmetic().work("Work out 47+38.").text
    assert not any(follows("Work out 47+38.", said, way) for way in BEHAVIOURS)


def test_an_unknown_way_is_named() -> None:
    with pytest.raises(ValueError, match="tens first"):
        behaved("Work out 1+1.", "backwards")
