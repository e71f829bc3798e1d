"""Records to plain JSON data and back, from their type hints alone; what does not fit is refused in a sentence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from importlib import import_module
from math import isfinite
from types import NoneType, UnionType
from typing import Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from sharpen.core.errors import CorruptRecord, InvalidInput, SharpenError, nearest
from sharpen.core.forms import (
    ARRAYS,
    FLOAT,
    Allowed,
    Form,
    Unfit,
    array,
    choice,
    exact,
    kind_of,
    many,
    mapping,
    plain,
    row,
)
from sharpen.core.records import Json

OWN = ("sharpen.",)
"""Where classes of tagged values come from unless the caller says otherwise: names or dotted prefixes of modules."""
RecordT = TypeVar("RecordT")


def to_json(record: object) -> Json:
    """A frozen dataclass as JSON data: {field: value}, without its class.

    Tuples, sequences and arrays become lists (float32 exactly), NaN and infinities "nan", "inf" and "-inf". A value
    whose class the field does not tell (object, a Protocol, an ambiguous union) has it: {"is": "module:Class", ...}.
    Raises InvalidInput for a value that is not what its field says, or has no such form.
    """
    if not is_dataclass(record) or isinstance(record, type):
        raise InvalidInput(f"expected a record (a dataclass) to archive, got {type(record).__name__}")
    return record_form(type(record)).encode(record)


def from_json(cls: type[RecordT], data: Json, allowed: tuple[str, ...] = OWN) -> RecordT:
    """The record that `to_json` gave this data for; arrays come back read-only, sequences as tuples.

    Raises CorruptRecord for unknown, missing and ill-typed fields, and for tagged classes whose module is not in
    `allowed` (names or dotted prefixes of modules).
    """
    try:
        record = record_form(cls).decode(data, allowed)
    except Unfit as unfit:
        raise CorruptRecord(str(unfit)) from None
    if not isinstance(record, cls):
        raise InvalidInput(f"expected a class of records, got {cls!r}")
    return record


def to_tagged(value: object) -> Json:
    """Any archivable value with its class in it: plain data as it is, {"is": "module:Class", field: value} for a
    record, {"is": "tuple", "of": [...]} and the like for what JSON does not know. Raises InvalidInput."""
    try:
        return OPEN.encode(value)
    except Unfit as unfit:
        raise InvalidInput(str(unfit)) from None


def from_tagged(data: Json, allowed: tuple[str, ...] = OWN) -> object:
    """The value that `to_tagged` gave this data for. Imports only modules in `allowed` and makes only dataclasses and
    enums of them; raises CorruptRecord for all else."""
    try:
        return OPEN.decode(data, allowed)
    except Unfit as unfit:
        raise CorruptRecord(str(unfit)) from None


class _Open:
    """Stands for Json while hints are resolved, because Json contains itself."""


@cache
def form_of(hint: object) -> Form:
    """The form of a type hint; raises InvalidInput where there is none."""
    origin, args = get_origin(hint), get_args(hint)
    if _is_open(hint) or (origin in (Union, UnionType) and any(map(_is_open, args))):
        return OPEN
    if origin in (Union, UnionType):
        return _union(tuple(map(form_of, args)))
    if origin is Literal:
        return choice({arg: arg for arg in args})
    if origin is np.ndarray:
        return array(np.dtype(get_args(args[1])[0]).name)
    if origin is tuple and args[-1:] != (...,):
        return row(tuple(map(form_of, args)))
    if origin in (tuple, Sequence):
        return many(form_of(args[0]), tuple)
    if origin is list:
        return many(form_of(args[0]), list)
    if origin is frozenset:
        return many(form_of(args[0]), frozenset)
    if origin in (dict, Mapping):
        return mapping(form_of(args[0]), form_of(args[1]))
    if isinstance(hint, type):
        return _of_class(hint)
    raise InvalidInput(f"{hint} has no form in the archive; use records, tuples, mappings, numbers, strings or arrays")


def _is_open(hint: object) -> bool:
    """Whether a hint leaves the class of its values open: object, a Protocol, a Callable, Json."""
    if hint in (object, _Open) or get_origin(hint) is Callable:
        return True
    return getattr(hint, "_is_protocol", False) or _Open in get_args(hint)


def _of_class(hint: type) -> Form:
    if is_dataclass(hint):
        return record_form(hint)
    if issubclass(hint, Enum):
        return choice({item.value: item for item in hint})
    if hint is float:
        return FLOAT
    if hint in (NoneType, bool, int, str):
        return exact(hint)
    raise InvalidInput(f"{hint.__name__} has no form in the archive; make it a dataclass")


def record_form(cls: type) -> Form:
    """The form of a dataclass: {field: value}."""
    name = cls.__name__
    make: Callable[..., object] = cls

    def encode(value: object) -> Json:
        forms, data = fields_of(cls), dict[str, Json]()
        if type(value) is not cls:
            raise Unfit(name, value)
        for field, form in forms.items():
            try:
                data[field] = form.encode(getattr(value, field))
            except Unfit as unfit:
                raise InvalidInput(f"{name}.{field} cannot be archived: {unfit}") from None
        return data

    def decode(data: Json, allowed: Allowed) -> object:
        if not isinstance(data, Mapping):
            raise Unfit(name, data)
        forms = fields_of(cls)
        if unknown := [field for field in data if field not in forms]:
            raise CorruptRecord(f"{name}: {nearest('field', unknown[0], forms)}")
        try:
            return make(**{field: _field(name, field, form, data, allowed) for field, form in forms.items()})
        except CorruptRecord:
            raise
        except SharpenError as error:
            raise CorruptRecord(f"{name} does not hold together: {error}") from error

    return Form(name, frozenset({"dict"}), lambda value: type(value) is cls, encode, decode)


def _field(name: str, field: str, form: Form, data: Mapping[str, Json], allowed: Allowed) -> object:
    if field not in data:
        raise CorruptRecord(
            f"{name}.{field} is missing: expected {form.label}, got only {', '.join(data) or 'nothing'}"
        )
    try:
        return form.decode(data[field], allowed)
    except Unfit as unfit:
        raise CorruptRecord(f"{name}.{field}: {unfit}") from None


@cache
def fields_of(cls: type) -> Mapping[str, Form]:
    """The forms of a dataclass's fields, in order; made when first used, so that records may contain themselves."""
    if not is_dataclass(cls):
        raise InvalidInput(f"expected a record (a dataclass), got {cls.__name__}")
    hints = get_type_hints(cls, localns={"Json": _Open})
    return {field.name: form_of(hints[field.name]) for field in fields(cls)}


def _union(forms: tuple[Form, ...]) -> Form:
    """Told apart by the type of the data where that is enough, else each value carries its class."""
    label = " or ".join(form.label for form in forms)
    kinds = frozenset(kind for form in forms for kind in form.kinds)
    tagged = sum(len(form.kinds) for form in forms) > len(kinds)

    def encode(value: object) -> Json:
        for form in forms:
            if form.fits(value):
                return OPEN.encode(value) if tagged else form.encode(value)
        for form in forms:  # an int where a float is meant
            if form is FLOAT and type(plain(value)) is int:
                return form.encode(value)
        raise Unfit(label, value)

    def decode(data: Json, allowed: Allowed) -> object:
        if tagged:
            value = OPEN.decode(data, allowed)
            if not any(form.fits(value) for form in forms):
                raise Unfit(label, data)
            return value
        found = kind_of(data)
        for form in forms:
            if found in form.kinds or (form is FLOAT and found == "int" and "int" not in kinds):
                return form.decode(data, allowed)
        raise Unfit(label, data)

    return Form(label, kinds, lambda value: any(form.fits(value) for form in forms), encode, decode)


def _open_data(value: object) -> Json:
    bare = plain(value)
    if is_dataclass(bare) or isinstance(bare, Enum):
        cls: type = type(bare)
        if cls.__qualname__ != cls.__name__:
            raise Unfit("a class at the top of its module", cls)
        data = form_of(cls).encode(bare)
        return {"is": f"{cls.__module__}:{cls.__name__}", **(data if isinstance(data, Mapping) else {"of": data})}
    if bare is None or isinstance(bare, bool | int | str):
        return bare
    if isinstance(bare, float):
        return bare if isfinite(bare) else {"is": "float", "of": str(bare)}
    if isinstance(bare, list):
        return [_open_data(item) for item in bare]
    if isinstance(bare, Mapping) and "is" not in bare and all(isinstance(name, str) for name in bare):
        return {name: _open_data(item) for name, item in bare.items()}
    return _marked_data(bare)


def _marked_data(value: object) -> Json:
    if isinstance(value, np.ndarray):
        mark = value.dtype.name
    else:
        mark = "dict" if isinstance(value, Mapping) else type(value).__name__
    return {"is": mark, "of": _marked(mark).encode(value)}


def _open_value(data: Json, allowed: Allowed) -> object:
    if isinstance(data, Mapping):
        mark = data.get("is")
        if mark is None:
            return {name: _open_value(item, allowed) for name, item in data.items()}
        rest = {name: item for name, item in data.items() if name != "is"}
        if isinstance(mark, str) and ":" in mark:
            form = form_of(_class_named(mark, allowed))
            return form.decode(rest if form.kinds == {"dict"} else rest.get("of"), allowed)
        return _marked(mark).decode(rest.get("of"), allowed)
    if isinstance(data, Sequence) and not isinstance(data, str):
        return [_open_value(item, allowed) for item in data]
    return data


def _marked(mark: Json) -> Form:
    forms = {
        "float": FLOAT,
        "tuple": many(OPEN, tuple),
        "frozenset": many(OPEN, frozenset),
        "dict": mapping(OPEN, OPEN),
    }
    if isinstance(mark, str) and mark in forms:
        return forms[mark]
    if isinstance(mark, str) and mark in ARRAYS:
        return array(mark)
    raise Unfit("a record, tuple, mapping, number, string or array", mark)


def _class_named(name: str, allowed: Allowed) -> type:
    module, _, own = name.partition(":")
    if not any(f"{module}.".startswith(f"{prefix.rstrip('.')}.") for prefix in allowed):
        raise CorruptRecord(
            f"expected a class of the modules {', '.join(allowed)}, got {name!r}; name its module to allow it"
        )
    try:
        found = getattr(import_module(module), own, None)
    except ImportError as error:
        raise CorruptRecord(f"expected to find the class {name!r}, got: {error}") from None
    if isinstance(found, type) and found.__module__ == module and (is_dataclass(found) or issubclass(found, Enum)):
        return found
    raise CorruptRecord(f"expected {name!r} to name a record, got {found!r}")


OPEN = Form(
    "a value",
    frozenset({"null", "bool", "int", "float", "str", "list", "dict"}),
    lambda _: True,
    _open_data,
    _open_value,
)
