"""Checks of values that come from outside: each raises `InvalidInput` that names the field and the rule.

Text is any Unicode but NUL and lone surrogates, integers have 64 bits, JSON is finite and of bounded depth: every
store can keep what passes.
"""

import base64
import binascii
import re
from math import isfinite

import msgspec

from turnlog.errors import InvalidInput

INTEGER_MAX = 2**63 - 1
COUNT_MAX = 2**31 - 1
JSON_DEPTH_MAX = 64
ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.:~@|=+-]{0,127}", re.ASCII)
ID_RULE = "must be 1 to 128 letters, digits or _ . : ~ @ | = + -, beginning with a letter, a digit, _ or -"


class Limits(msgspec.Struct, frozen=True):
    """How large one message may be; sizes are of its JSON in UTF-8."""

    message_bytes: int = 1 << 20
    parts: int = 256
    metadata_bytes: int = 16 << 10
    json_depth: int = 32


def check_id(field: str, value: str) -> str:
    """`value` if it can name a tenant, a conversation or a message."""
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise InvalidInput(field, ID_RULE)
    return value


def check_name(field: str, value: str, *, length_max: int = 256) -> str:
    """`value` if it can name a user, a tag or a title: 1 to `length_max` characters, none of them a control character."""
    check_text(field, value)
    if not 1 <= len(value) <= length_max:
        raise InvalidInput(field, f"must have 1 to {length_max} characters")
    if any(character < " " or character == "\x7f" for character in value):
        raise InvalidInput(field, "must not hold control characters")
    return value


KEY_SHOWN_MAX = 100
"""Characters of a key that an error names, at most."""


def check_text(field: str, value: str) -> None:
    """Refuse what some engine cannot keep: NUL and lone surrogates."""
    if not isinstance(value, str):
        raise InvalidInput(field, f"must be text, not {type(value).__name__}")
    if "\0" in value:
        raise InvalidInput(field, "must not hold NUL (U+0000)")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(field, f"must not hold a lone surrogate (at {error.start})") from None


def check_base64(field: str, value: str) -> None:
    """Refuse what is not standard base64 with its padding (RFC 4648, section 4)."""
    check_text(field, value)
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput(field, "must be base64") from None


def check_json(field: str, value: object, *, depth_max: int = JSON_DEPTH_MAX) -> None:
    """Refuse what is not JSON with text keys, 64-bit integers, finite numbers and at most `depth_max` levels."""
    fault = _json_fault(value, depth_max)
    if fault is not None:
        place, rule = fault
        raise InvalidInput(field + place, rule)


def _json_fault(value: object, depth_max: int) -> tuple[str, str] | None:
    """Where in `value` something is no JSON, and which rule it breaks; None if nothing is.

    The place is put together once there is a fault: to name each place before would cost the length of all keys above it.
    """
    if depth_max < 0:
        return "", "is nested too deep"
    if isinstance(value, str):
        return _text_fault("", value)
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return None if -INTEGER_MAX - 1 <= value <= INTEGER_MAX else ("", "must be an integer of 64 bits")
    if isinstance(value, float):
        return None if isfinite(value) else ("", "must be a finite number")
    if isinstance(value, dict | list | tuple):
        return _fault_within(value, depth_max - 1)
    return "", f"must be JSON, not {type(value).__name__}"


def _fault_within(value: dict[str, object] | list[object] | tuple[object, ...], depth_max: int) -> tuple[str, str] | None:
    if not isinstance(value, dict):
        for index, item in enumerate(value):
            if (fault := _json_fault(item, depth_max)) is not None:
                return f"[{index}]{fault[0]}", fault[1]
        return None
    for key, item in value.items():
        if (fault := _text_fault(" key", key)) is not None:
            return fault
        if (fault := _json_fault(item, depth_max)) is not None:
            return f".{key[:KEY_SHOWN_MAX]}{fault[0]}", fault[1]
    return None


def _text_fault(place: str, value: object) -> tuple[str, str] | None:
    try:
        check_text("", value)  # type: ignore[arg-type]
    except InvalidInput as error:
        return place, error.rule
    return None


def check_seq(field: str, seq: int) -> None:
    """Refuse what is not a place in a log, or the one before the first."""
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 <= seq <= INTEGER_MAX:
        raise InvalidInput(field, "must be a whole number from 0 on")


def check_limit(limit: int, maximum: int, *, field: str = "limit") -> None:
    """Refuse a page of less than one or of more than `maximum`."""
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= maximum:
        raise InvalidInput(field, f"must be a whole number from 1 to {maximum}")
