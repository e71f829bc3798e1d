"""The forms that plain values and containers take in JSON data: how to recognise, encode and decode each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from types import NoneType
from typing import TypeAlias

import numpy as np

from sharpen.core.records import Json

Allowed: TypeAlias = tuple[str, ...]
ARRAYS = ("float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")
_NOT_FINITE = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


class Unfit(Exception):
    """A value that is not of its form; the record it sits in says where."""

    def __init__(self, expected: str, got: object) -> None:
        text = repr(got)
        super().__init__(f"expected {expected}, got {text if len(text) <= 60 else text[:57] + '...'}")


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """How the values of one type hint are kept. `kinds` are the types its data can have, of: null, bool, int, float,
    str, list, dict; a union whose members share none is told apart by them."""

    label: str
    kinds: frozenset[str]
    fits: Callable[[object], bool]
    encode: Callable[[object], Json]
    decode: Callable[[Json, Allowed], object]


def exact(kind: type) -> Form:
    """Values of one plain type and no other: a bool is no int."""
    label = "null" if kind is NoneType else kind.__name__

    def fits(value: object) -> bool:
        return type(plain(value)) is kind

    def encode(value: object) -> Json:
        return decode(_scalar(value, label))

    def decode(data: Json, allowed: Allowed = ()) -> Json:
        if type(data) is not kind:
            raise Unfit(label, data)
        return data

    return Form(label, frozenset({label}), fits, encode, decode)


def plain(value: object) -> object:
    """A numpy scalar as Python's number, anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def _scalar(value: object, label: str) -> bool | int | float | str | None:
    bare = plain(value)
    if bare is None or isinstance(bare, bool | int | float | str):
        return bare
    raise Unfit(label, value)


def _float_data(value: object) -> Json:
    number = _scalar(value, "float")
    if isinstance(number, bool | str | None):
        raise Unfit("float", value)
    return float(number) if isfinite(number) else str(float(number))


def _float(data: Json, allowed: Allowed = ()) -> float:
    if isinstance(data, str) and data in _NOT_FINITE:
        return _NOT_FINITE[data]
    if isinstance(data, bool) or not isinstance(data, int | float):
        raise Unfit("float", data)
    return float(data)


def choice(values: Mapping[bool | int | str, object]) -> Form:
    """Enums and literals: data to value."""
    label = "one of " + ", ".join(map(repr, values))

    def encode(value: object) -> Json:
        for data, known in values.items():
            if known == value and type(known) is type(value):
                return data
        raise Unfit(label, value)

    def decode(data: Json, allowed: Allowed) -> object:
        if isinstance(data, bool | int | str) and data in values:
            return values[data]
        raise Unfit(label, data)

    def fits(value: object) -> bool:
        return any(known == value and type(known) is type(value) for known in values.values())

    return Form(label, frozenset(type(data).__name__ for data in values), fits, encode, decode)


def _items(data: object, label: str) -> Sequence[Json]:
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return data
    raise Unfit(label, data)


def row(forms: tuple[Form, ...]) -> Form:
    """Tuples of fixed length, each place of a form of its own."""
    label = f"({', '.join(form.label for form in forms)})"

    def encode(value: object) -> Json:
        if not isinstance(value, tuple) or len(value) != len(forms):
            raise Unfit(label, value)
        return [form.encode(item) for form, item in zip(forms, value, strict=True)]

    def decode(data: Json, allowed: Allowed) -> object:
        items = _items(data, label)
        if len(items) != len(forms):
            raise Unfit(label, data)
        return tuple(form.decode(item, allowed) for form, item in zip(forms, items, strict=True))

    return Form(label, frozenset({"list"}), lambda value: isinstance(value, tuple), encode, decode)


def many(form: Form, kind: Callable[[Iterable[object]], object]) -> Form:
    """Tuples, lists and sets of one form, which come back as `kind`; a set's data is sorted."""
    label = f"a list of {form.label}"

    def fits(value: object) -> bool:
        return isinstance(value, frozenset if kind is frozenset else tuple | list)

    def encode(value: object) -> Json:
        if not isinstance(value, tuple | list | frozenset):
            raise Unfit(label, value)
        items = [form.encode(item) for item in value]
        return sorted(items, key=repr) if isinstance(value, frozenset) else items

    def decode(data: Json, allowed: Allowed) -> object:
        return kind(form.decode(item, allowed) for item in _items(data, label))

    return Form(label, frozenset({"list"}), fits, encode, decode)


def mapping(key: Form, item: Form) -> Form:
    """An object where keys are strings, else a list of pairs."""
    label = f"a mapping from {key.label} to {item.label}"
    pair, named = row((key, item)), key.kinds == {"str"}

    def encode(value: object) -> Json:
        if not isinstance(value, Mapping):
            raise Unfit(label, value)
        if named:
            return {str(key.encode(name)): item.encode(held) for name, held in value.items()}
        return [pair.encode(held) for held in value.items()]

    def decode(data: Json, allowed: Allowed) -> object:
        if not named:
            pairs = [_items(held, pair.label) for held in _items(data, label)]
            if any(len(held) != 2 for held in pairs):
                raise Unfit(label, data)
            return {key.decode(name, allowed): item.decode(held, allowed) for name, held in pairs}
        if not isinstance(data, Mapping):
            raise Unfit(label, data)
        return {key.decode(name, allowed): item.decode(held, allowed) for name, held in data.items()}

    return Form(label, frozenset({"dict" if named else "list"}), lambda v: isinstance(v, Mapping), encode, decode)


def array(dtype: str) -> Form:
    """One-dimensional arrays, read-only when they come back."""
    label = f"a list of {dtype}"
    real = dtype.startswith("float")
    kinds = {"bool"} if dtype == "bool" else {"int", "float"} if real else {"int"}

    def fits(value: object) -> bool:
        return isinstance(value, np.ndarray) and value.dtype.name == dtype and value.ndim == 1

    def encode(value: object) -> Json:
        if not isinstance(value, np.ndarray) or not fits(value):
            raise Unfit(f"a one-dimensional array of {dtype}", value)
        numbers: list[Json] = value.tolist()
        return [_float_data(number) for number in numbers] if real and not np.isfinite(value).all() else numbers

    def decode(data: Json, allowed: Allowed) -> object:
        items = _items(data, label)
        if real and str in set(map(type, items)):
            items = [_float(item) for item in items]
        if not {found.__name__ for found in set(map(type, items))} <= kinds:
            raise Unfit(label, data)
        try:
            array = np.array(items, dtype=dtype)
        except OverflowError:
            raise Unfit(label, data) from None
        array.flags.writeable = False
        return array

    return Form(label, frozenset({"list"}), fits, encode, decode)


def kind_of(data: Json) -> str:
    """The type of data, by the names in `Form.kinds`."""
    if data is None:
        return "null"
    if isinstance(data, Mapping):
        return "dict"
    if isinstance(data, Sequence) and not isinstance(data, str):
        return "list"
    return type(data).__name__


FLOAT = Form("float", frozenset({"float", "str"}), lambda value: isinstance(plain(value), float), _float_data, _float)
