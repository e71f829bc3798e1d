"""Settings written as text: key=value,key=value."""

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Json


def parsed(text: str) -> dict[str, Json]:
    """The settings in order, lists written a;b;c; raises InvalidInput for anything but key=value, or a key twice."""
    found: dict[str, Json] = {}
    for part in text.split(",") if text else ():
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not (key and equals and value):
            raise InvalidInput(f"expected settings such as key=value,key=value, got {part!r}")
        if key in found:
            raise InvalidInput(f"expected each setting once, got {key!r} twice")
        found[key] = [_value(item) for item in value.split(";")] if ";" in value else _value(value)
    return found


def taken(found: dict[str, Json], key: str, default: int, low: int, high: int) -> int:
    """A whole number taken out of the settings; raises InvalidInput where it is none or not in [low, high]."""
    value = found.pop(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidInput(f"{key} must be a whole number from {low} to {high}, got {value!r}")
    return value


def _value(text: str) -> Json:
    plain: dict[str, Json] = {"true": True, "false": False, "none": None}
    if text.lower() in plain:
        return plain[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
