import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal, Protocol

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharpen.core import budget, lessons, objectives, ports, records, training
from sharpen.core.archive import from_json, from_tagged, to_json, to_tagged
from sharpen.core.budget import Budget, Spend
from sharpen.core.errors import CorruptRecord, InvalidInput
from sharpen.core.lessons import Lesson, Part, Term
from sharpen.core.method import Paper, Round
from sharpen.core.objectives import Imitate, PolicyGradient, Prefer, Regress
from sharpen.core.ports import Refusal
from sharpen.core.records import (
    Attempt,
    Behaviour,
    Completion,
    Finish,
    Json,
    Judged,
    Message,
    Piece,
    Problem,
    Reference,
    Sampling,
    Scene,
    Stop,
    Turn,
    Verdict,
    Weights,
    user,
)
from sharpen.core.tokens import Floats, Ints, Tokens, frozen_floats, frozen_ints
from sharpen.core.training import Adapter, Head, Learned, Training

HERE = (__name__,)
WEIGHTS = Weights("base", "nano")
TOKENS = Tokens(frozen_ints([1, 2, 3]), "fingerprint")
PIECE = Piece("ab", TOKENS, frozen_floats([-0.1, -1e-30, -3.0]), "policy", frozen_floats([-0.5, -1.0, -2.0]))
CHAT = (user("What is 1 + 1?"), Message("assistant", "It is", TOKENS))
PROBLEM = Problem("p1", CHAT, "sums", 0.5, {"source": None, "tags": ["a", {"deep": [1, 2.5, True]}]})
ATTEMPT = Attempt(PROBLEM, (Turn(CHAT, (PIECE, Piece("found", author="world")), 1),), WEIGHTS, Stop.LENGTH)


class Colour(Enum):
    RED = 1
    BLUE = 2


class Answers(Protocol):
    def answer(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """A solver, as far as this matters."""

    words: str

    def answer(self) -> str:
        return self.words


@dataclass(frozen=True, slots=True)
class Tree:
    value: float
    children: tuple["Tree", ...] = ()


@dataclass(frozen=True, slots=True)
class Mixed:
    pair: tuple[int, str]
    names: Mapping[str, float]
    places: Mapping[tuple[int, ...], Colour]
    chosen: frozenset[int]
    mode: Literal["fast", 3]
    solver: Answers | None
    anything: object
    number_or_word: float | str
    objective: Imitate | Prefer
    many: Sequence[int]
    note: Json = None


MIXED = Mixed(
    (1, "one"),
    {"a": 1.0},
    {(1, 2): Colour.RED, (): Colour.BLUE},
    frozenset({3, 1}),
    3,
    Fixed("42"),
    (1, [2.0, "x"], {"is": Colour.BLUE}, {WEIGHTS: None}, frozenset({1})),
    math.inf,
    Prefer(0.2),
    (1, 2),
    {"nested": [None, True]},
)

EVERY_RECORD = [
    TOKENS,
    *CHAT,
    PROBLEM,
    WEIGHTS,
    Sampling(4, 0.7, 0.9, 64, ("\n", "Q:")),
    PIECE,
    Piece("only text"),
    Completion(PIECE, Finish.END),
    Scene(CHAT, True, {"page": (1, "x"), "seen": frozenset({"a"})}),
    ATTEMPT.turns[0],
    ATTEMPT,
    Verdict(0.25, None, (0.1, 0.9), "too short"),
    Behaviour("tens first", "Add tens, then ones.", {"add": 2}),
    Judged(ATTEMPT, Verdict(1.0, True)),
    Reference("2", ("1 + 1", "2"), {"from": "a book"}),
    Part(TOKENS, target=0.5),
    Lesson((Part(CHAT), Part(TOKENS, frozen_floats([1, 0, 1]), PIECE.logprobs, 0.1, 1.0), Part("words", 2.0)), 3),
    Term(
        PolicyGradient((0.2, 0.28), "sequence", "constant", 64, "k2", 0.7), (Lesson((Part("a", 1.0),)),), 0.5, WEIGHTS
    ),
    Imitate("constant", 9),
    Prefer(0.2, 1.0),
    PolicyGradient(),
    Regress("bce", "critic"),
    Head("value", 2, 1, "sigmoid", "<step>"),
    Adapter(4, 8.0, ("q_proj",)),
    Training(steps=5, rate=1e-4, position=(5, 10), inherit="moments", adapter=Adapter()),
    Learned(WEIGHTS, Spend(learned=5), {"loss": math.nan, "kl": -math.inf}),
    Refusal("no answer"),
    Spend(1, 2, 3, 4e12, 5, 6, 7, 8, 9.5),
    Budget(3e13, "flops"),
    Paper("Title", "2401.00001", 2024, "claim", "sample", "oracle", "none"),
    Round((1, WEIGHTS), Fixed("1"), {"kept": 3.0}),  # type: ignore[arg-type] # Fixed answers less than a Solver
    Tree(1.0, (Tree(0.5), Tree(math.inf, (Tree(0.0),)))),
    MIXED,
]


def read_back(record: object) -> object:
    return from_json(type(record), json.loads(json.dumps(to_json(record), allow_nan=False)), ("sharpen.", *HERE))


@pytest.mark.parametrize("record", EVERY_RECORD, ids=lambda record: type(record).__name__)
def test_a_record_comes_back_as_it_was(record: object) -> None:
    again = read_back(record)
    assert type(again) is type(record)
    assert repr(again) == repr(record)  # also for records without equality; nan is not equal to itself
    assert to_json(again) == to_json(record) or "nan" in repr(record)


@pytest.mark.parametrize("record", EVERY_RECORD, ids=lambda record: type(record).__name__)
def test_a_tagged_record_comes_back_as_it_was(record: object) -> None:
    data = json.loads(json.dumps(to_tagged([record]), allow_nan=False))
    assert repr(from_tagged(data, ("sharpen", *HERE))) == repr([record])


def test_every_record_of_the_vocabulary_is_tried() -> None:
    tried = {type(record) for record in EVERY_RECORD}
    for module in (records, lessons, objectives, training, budget, ports):
        for name, value in vars(module).items():
            if hasattr(value, "__dataclass_fields__") and value.__module__ == module.__name__:
                assert value in tried, name


def test_the_data_reads_like_the_record() -> None:
    assert to_json(Verdict(0.5, True, (1.0,))) == {"score": 0.5, "right": True, "steps": [1.0], "note": ""}
    assert to_json(Term(Prefer(), ())) == {
        "objective": {"is": "sharpen.core.objectives:Prefer", "beta": 0.1, "imitate": 0.0},
        "lessons": [],
        "coefficient": 1.0,
        "anchor": None,
    }


@settings(max_examples=100)
@given(st.lists(st.floats(width=32), max_size=20))
def test_float32_survives_to_the_last_bit(values: list[float]) -> None:
    sampled = np.array(values, dtype=np.float32)
    part = Part(Tokens(frozen_ints(range(len(values))), "t"), sampled=sampled)
    again = from_json(Part, json.loads(json.dumps(to_json(part), allow_nan=False)))
    assert isinstance(again.sampled, np.ndarray)
    assert again.sampled.dtype == np.float32 and not again.sampled.flags.writeable
    assert np.array_equal(again.sampled, sampled, equal_nan=True)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.just("is") | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=200)
@given(PLAIN)
def test_plain_values_come_back_with_their_types(value: object) -> None:
    assert repr(from_tagged(json.loads(json.dumps(to_tagged(value), allow_nan=False)))) == repr(value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"temprature": 1.0}, "Sampling: unknown field 'temprature'; did you mean 'temperature'?"),
        ({"n": "three"}, "Sampling.n: expected int, got 'three'"),
        ({"n": True}, "Sampling.n: expected int, got True"),
        ({"n": 1.0}, "Sampling.n: expected int, got 1.0"),
        ({"stop": "x"}, "Sampling.stop: expected a list of str, got 'x'"),
        ({"stop": [1]}, "Sampling.stop: expected str, got 1"),
        ({"top_p": "high"}, "Sampling.top_p: expected float, got 'high'"),
        ({"top_p": 7.0}, "Sampling does not hold together: top_p must be in (0, 1], got 7.0"),
    ],
)
def test_a_wrong_field_is_refused_in_a_sentence(change: dict[str, Json], sentence: str) -> None:
    data = to_json(Sampling())
    assert isinstance(data, dict)
    with pytest.raises(CorruptRecord, match=f"^{_literally(sentence)}"):
        from_json(Sampling, data | change)


def _literally(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "().[]?" else letter for letter in text)


def test_a_missing_field_is_refused_with_its_name() -> None:
    with pytest.raises(CorruptRecord, match=r"Weights.body is missing: expected str, got only id"):
        from_json(Weights, {"id": "x"})


def test_a_wrong_value_deep_inside_names_its_own_record() -> None:
    data = json.loads(json.dumps(to_json(Judged(ATTEMPT, Verdict(1.0)))))
    data["attempt"]["turns"][0]["said"][0]["author"] = "nobody"
    with pytest.raises(CorruptRecord, match=r"Piece.author: expected one of 'policy', 'world', 'method', got 'nobody'"):
        from_json(Judged, data)
    data["attempt"]["turns"][0]["said"][0]["author"] = "policy"
    data["attempt"]["stop"] = "never"
    with pytest.raises(CorruptRecord, match=r"Attempt.stop: expected one of 'done'"):
        from_json(Judged, data)


def test_something_other_than_fields_is_refused() -> None:
    with pytest.raises(CorruptRecord, match=r"expected Weights, got \['x'\]"):
        from_json(Weights, ["x"])
    with pytest.raises(CorruptRecord, match=r"Tokens.ids: expected a list of int32, got \[1.5\]"):
        from_json(Tokens, {"ids": [1.5], "tokenizer": "t"})
    with pytest.raises(CorruptRecord, match=r"Tokens.ids: expected a list of int32"):
        from_json(Tokens, {"ids": [2**40], "tokenizer": "t"})


def test_a_class_of_another_module_is_not_imported() -> None:
    for name in ("os:system", "subprocess:Popen", "sharpening.core.records:Weights", f"{__name__}:Fixed"):
        with pytest.raises(CorruptRecord, match="expected a class of the modules sharpen"):
            from_tagged({"is": name})


def test_only_records_and_enums_are_made() -> None:
    for name in ("sharpen.core.errors:nearest", "sharpen.core.archive:import_module", "sharpen.core.records:Nothing"):
        with pytest.raises(CorruptRecord, match="to name a record"):
            from_tagged({"is": name})
    with pytest.raises(CorruptRecord, match="to name a record"):
        from_tagged({"is": "sharpen.core.lessons:Weights", "id": "a", "body": "b"})  # it lives elsewhere
    with pytest.raises(CorruptRecord, match="expected to find the class"):
        from_tagged({"is": "sharpen.core.nowhere:Weights"})
    with pytest.raises(CorruptRecord, match="expected a record, tuple"):
        from_tagged({"is": "bytes", "of": []})


def test_a_union_takes_only_its_own_classes() -> None:
    data = json.loads(json.dumps(to_json(MIXED)))
    data["objective"] = to_tagged(Regress())
    with pytest.raises(CorruptRecord, match=r"Mixed.objective: expected Imitate or Prefer"):
        from_json(Mixed, data, ("sharpen.", *HERE))


def test_what_cannot_be_archived_is_refused_when_written() -> None:
    @dataclass(frozen=True)
    class Hidden:
        x: int

    @dataclass(frozen=True)
    class Odd:
        x: complex

    for value in (len, object(), b"bytes", Hidden(1), {1, 2}, np.zeros((2, 2), dtype=np.float32)):
        with pytest.raises(InvalidInput, match="expected"):
            to_tagged(value)
    with pytest.raises(InvalidInput, match="complex has no form in the archive"):
        to_json(Odd(1))
    with pytest.raises(InvalidInput, match=r"Verdict.score cannot be archived: expected float, got 'high'"):
        to_json(Verdict("high"))  # type: ignore[arg-type] # what a careless judge might give
    with pytest.raises(InvalidInput, match=r"expected a record"):
        to_json(Verdict)


def test_numpy_scalars_are_numbers() -> None:
    learned = Learned(WEIGHTS, Spend(), {"loss": np.float32(0.5), "kl": np.float64(2)})  # type: ignore[dict-item] # as metrics are
    assert from_json(Learned, to_json(learned)).metrics == {"loss": 0.5, "kl": 2.0}


def test_equal_records_have_equal_data_in_any_order_of_a_set() -> None:
    data = json.dumps(to_json(replace(MIXED, chosen=frozenset(range(100)))))
    assert data == json.dumps(to_json(replace(MIXED, chosen=frozenset(reversed(range(100))))))


ARRAYS: tuple[Floats, Ints] = (frozen_floats([0.5]), frozen_ints([1]))


def test_bare_arrays_keep_their_type() -> None:
    for array, again in zip(ARRAYS, from_tagged(to_tagged(list(ARRAYS))), strict=True):  # type: ignore[call-overload] # a list
        assert again.dtype == array.dtype and again.tolist() == array.tolist()
