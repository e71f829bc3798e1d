"""Tasks by name."""

from pathlib import Path

import pytest

from sharpen.core.errors import InvalidInput
from sharpen.tasks.open import open_task
from sharpen.tasks.settings import parsed

SUMS = str(Path(__file__).parents[2] / "examples" / "sums.jsonl")


@pytest.mark.parametrize(
    "spec", ["arithmetic", "arithmetic:level=2,kind=add,train=20", "gym:products:max_digits=1,train=20", SUMS]
)
def test_a_task_is_opened_by_its_name(spec: str) -> None:
    task = open_task(spec)
    assert task.problems("train")
    assert task.env.max_tokens >= 32


def test_the_longest_reply_can_be_set() -> None:
    for spec in ("arithmetic", "gym:products", SUMS):
        assert open_task(spec, max_tokens=17).env.max_tokens == 17


def test_the_system_message_can_be_set() -> None:
    for spec in ("gym:products:train=5", SUMS):
        assert open_task(spec, system="Say it.").problems("train")[0].chat[0].text == "Say it."


@pytest.mark.parametrize(
    ("spec", "options", "sentence"),
    [
        ("arithmetics", {}, "unknown task 'arithmetics'; did you mean 'arithmetic'"),
        ("arithmetic:levle=3", {}, "did you mean 'level'"),
        ("arithmetic:level=x", {}, "level must be a whole number from 1 to 8, got 'x'"),
        ("arithmetic:kind=3", {}, "expected kind=NAME"),
        ("arithmetic:level", {}, "expected settings such as key=value"),
        ("arithmetic", {"system": "x"}, "instructions of its own"),
        ("arithmetic", {"reward": "a:b"}, "judges by itself"),
        ("arithmetic", {"max_tokens": 0}, "max_tokens must be >= 1, got 0"),
        ("gym:product", {}, "did you mean 'products'"),
        ("gym:", {}, "unknown reasoning-gym dataset ''"),
        ("none.jsonl", {}, "expected a file of JSON lines"),
    ],
)
def test_what_is_unknown_is_named_with_the_nearest_known(spec: str, options: dict[str, str], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        open_task(spec, **options)  # type: ignore[arg-type]  # one of several options


def test_settings_are_read_as_what_they_look_like() -> None:
    text = "a=1,b=2.5,c=true,d=None,e=plain,f=+;-;3"
    assert parsed(text) == {"a": 1, "b": 2.5, "c": True, "d": None, "e": "plain", "f": ["+", "-", 3]}


def test_a_setting_given_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'a' twice"):
        parsed("a=1,a=2")
