"""Hypothesis strategies for messages: everything that a log takes."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from turnlog import Audio, File, Image, Message, Reasoning, Refusal, Text, ToolCall, ToolResult, Usage
from turnlog.validation import INTEGER_MAX

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
SOME_TEXT = TEXT.filter(bool)
NAME = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)
INTEGER = st.integers(-INTEGER_MAX - 1, INTEGER_MAX)
COUNT = st.integers(0, INTEGER_MAX)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGER | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
METADATA = st.dictionaries(TEXT, JSON, max_size=4)
ID = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9_.:~@|=+-]{0,30}", fullmatch=True)
BASE64 = st.binary(max_size=20).map(lambda data: base64.b64encode(data).decode())
MEDIA: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({"url": SOME_TEXT}) | st.fixed_dictionaries(
    {"data": BASE64, "media_type": SOME_TEXT}
)
SPOKEN = st.one_of(
    SOME_TEXT.map(Text),
    MEDIA.map(lambda fields: Image(**fields)),
    MEDIA.map(lambda fields: Audio(**fields)),
    st.builds(lambda fields, name: File(**fields, filename=name), MEDIA, st.none() | TEXT),
)
CALL = st.builds(ToolCall, SOME_TEXT, SOME_TEXT, TEXT | JSON.map(json.dumps))
RESULT = st.builds(ToolResult, SOME_TEXT, TEXT | st.lists(SPOKEN, min_size=1, max_size=3).map(tuple), st.booleans())


def _parts(part: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(part, min_size=1, max_size=4).map(tuple)


_CONTENT = {
    "user": SOME_TEXT | _parts(SPOKEN),
    "assistant": SOME_TEXT | _parts(SPOKEN | CALL | TEXT.map(Reasoning) | TEXT.map(Refusal)),
    "system": SOME_TEXT | _parts(SOME_TEXT.map(Text)),
    "developer": SOME_TEXT | _parts(SOME_TEXT.map(Text)),
    "tool": _parts(RESULT),
}


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """Any message that a log takes."""
    role = draw(st.sampled_from(sorted(_CONTENT)))
    return Message(
        role,  # type: ignore[arg-type]
        draw(_CONTENT[role]),
        name=draw(st.none() | NAME),
        metadata=draw(METADATA),
        id=draw(ID),
        created_at=draw(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))),
        status=draw(st.sampled_from(["complete", "partial", "incomplete"])),
        provider=draw(st.none() | NAME),
        model=draw(st.none() | NAME),
        usage=draw(st.none() | st.builds(Usage, COUNT, COUNT, COUNT)),
        derived=draw(st.booleans()),
    )
