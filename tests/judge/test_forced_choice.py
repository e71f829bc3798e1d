"""The reward of PromptQuine by hand, and how prompts and questions are put together."""

from collections.abc import Sequence
from math import log

import numpy as np
import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Chat, Message
from sharpen.core.speech import QUESTION
from sharpen.core.tokens import Floats
from sharpen.judge.forced_choice import Labelled, hit, probabilities, reward

SEVEN = [log(0.7), log(0.2), log(0.1)]


def test_hand_worked_rewards() -> None:
    assert reward(SEVEN, 0) == pytest.approx(200 * (0.7 - 0.2))
    assert reward(SEVEN, 1) == pytest.approx(180 * (0.2 - 0.7))
    assert reward(SEVEN, 2) == pytest.approx(180 * (0.1 - 0.7))
    assert reward([log(0.3), log(0.3)], 1) == 0.0


def test_probabilities_are_of_the_labels_alone() -> None:
    rare = [value + log(1e-9) for value in SEVEN]  # most of the full softmax is elsewhere
    assert probabilities(rare) == pytest.approx([0.7, 0.2, 0.1])
    assert sum(probabilities([-1000.0, -1001.0, -3000.0])) == pytest.approx(1.0)
    assert reward(rare, 1) == pytest.approx(reward(SEVEN, 1))


def test_the_reward_is_between_its_ends_and_rises_with_the_right_label() -> None:
    rewards = [reward([value, 0.0, -1.0], 0) for value in np.linspace(-50, 50, 101)]
    assert rewards == sorted(rewards)
    assert rewards[0] == pytest.approx(-180 * probabilities([0.0, -1.0])[0]) and rewards[-1] == pytest.approx(200)


def test_a_hit_is_the_likeliest_label_and_the_first_of_equals() -> None:
    assert [hit(SEVEN, place) for place in range(3)] == [1.0, 0.0, 0.0]
    assert [hit([-1.0, -1.0], place) for place in range(2)] == [1.0, 0.0]


def test_a_prompt_without_room_for_a_label_earns_nothing_and_hits_nothing() -> None:
    none = [-np.inf] * 3
    assert probabilities(none) == [0.0] * 3
    assert [reward(none, place) for place in range(3)] == [hit(none, place) for place in range(3)] == [0.0] * 3


def test_a_place_beside_the_labels_is_refused() -> None:
    for labels, right in ((SEVEN, 3), ([0.0], 0)):
        with pytest.raises(InvalidInput, match="two labels"):
            reward(labels, right)


class Reader:
    """Finds the first label as many times likelier than the second as the chat has letters x."""

    def logprobs(self, chats: Sequence[Chat], said: Sequence[object]) -> list[Floats]:
        raise NotImplementedError

    def choices(self, chats: Sequence[Chat], labels: Sequence[str]) -> list[Floats]:
        return [np.array([log(1 + chat[0].text.count("x")), 0.0], dtype=np.float32) for chat in chats]


def test_every_prompt_is_asked_every_question() -> None:
    labelled = Labelled((" a", " b"), ("x", "", "xx"), (0, 0, 1))
    prompts = [(Message("text", f"x{QUESTION}"),), (Message("text", QUESTION),)]
    # Chances of the first label: 2/3 of two, 3/4 of three and 4/5 where there are three x; 1/2 where there is none.
    first = (200 * (3 / 4 - 1 / 4) + 200 * (2 / 3 - 1 / 3) + 180 * (1 / 5 - 4 / 5)) / 3
    second = (200 * (2 / 3 - 1 / 3) + 0 + 180 * (1 / 4 - 3 / 4)) / 3
    assert labelled.fitness(Reader(), prompts, "reward") == pytest.approx([first, second], abs=1e-3)
    assert labelled.fitness(Reader(), prompts, "accuracy") == pytest.approx([2 / 3, 2 / 3])
    assert labelled.fitness(Reader(), [], "reward") == []
