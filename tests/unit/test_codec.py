"""The stored form: exact, canonical, guarded by a checksum, readable for ever (law 14)."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.messages import METADATA, messages
from turnlog import CorruptRecord, Image, Limits, Message, Text, TooLarge, ToolCall, assistant, codec, user
from turnlog.codec import Record
from turnlog.errors import InvalidInput
from turnlog.timestamps import format_time

GOLDEN = Path(__file__).parent / "golden"
WIDE = Limits(message_bytes=1 << 30, metadata_bytes=1 << 30, json_depth=64)


def encode(message: Message, *, limits: Limits = WIDE, salt: bytes = b"") -> Record:
    return codec.encode(message, tokens=7, limits=limits, salt=salt)


def read(line: str) -> Record:
    """A record, from a line of a golden file."""
    fields = json.loads(line)
    return Record(**{**fields, "body": fields["body"].encode(), "digest": bytes.fromhex(fields["digest"])})


def sealed(record: Record) -> Record:
    """The record with the checksum that fits it."""
    return msgspec.structs.replace(record, checksum=codec.checksum(record))


@given(messages())
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    record = msgspec.structs.replace(encode(message), seq=3)
    assert codec.decode(record) == msgspec.structs.replace(message, seq=3, tokens=7)


@given(messages())
def test_a_record_encodes_to_itself(message: Message) -> None:
    record = encode(message)
    assert encode(codec.decode(record)) == record


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [_reversed(item) for item in value]
    return value


@given(METADATA)
def test_equal_messages_have_equal_bodies_whatever_the_order_of_keys(metadata: dict[str, Any]) -> None:
    one, two = (user("x", id="m", metadata=value) for value in (metadata, _reversed(metadata)))
    assert encode(one).body == encode(two).body
    assert encode(one).digest == encode(two).digest


@given(messages())
def test_a_body_is_json_that_begins_with_role_and_content(message: Message) -> None:
    body = json.loads(encode(message).body)
    assert list(body)[:2] == ["role", "content"]


@given(messages(), st.data())
def test_a_flipped_bit_anywhere_is_noticed(message: Message, data: st.DataObject) -> None:
    record = encode(message)
    at = data.draw(st.integers(0, len(record.body) * 8 - 1))
    body = bytearray(record.body)
    body[at // 8] ^= 1 << at % 8
    flipped_time = record.created_at ^ 1 << data.draw(st.integers(0, 60))
    other_id = record.id[:-1] + ("a" if record.id[-1] != "a" else "b")
    for changes in (
        {"body": bytes(body)},
        {"created_at": flipped_time},
        {"id": other_id},
        {"body": record.body[:-1]},
        {"tokens": record.tokens ^ 1 << data.draw(st.integers(0, 40))},
        {"version": record.version + 1},
        {"digest": codec.ERASED},
        {"created_at": 1 << 70},
    ):
        broken = msgspec.structs.replace(record, **changes, seq=5)
        with pytest.raises(CorruptRecord) as error:
            codec.checked(broken)
        assert (error.value.seq, error.value.record) == (5, broken)
    assert codec.checked(record) is record


def test_every_flipped_byte_of_a_record_is_noticed() -> None:
    record = encode(user("hello", metadata={"k": [1, "two"]}))
    for at in range(len(record.body)):
        for flip in (1, 0x80, 0xFF):
            body = record.body[:at] + bytes([record.body[at] ^ flip]) + record.body[at + 1 :]
            with pytest.raises(CorruptRecord) as error:
                codec.checked(msgspec.structs.replace(record, body=body, seq=9))
            assert error.value.seq == 9


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"role":"user"}', b'{"role":"admin","content":"x"}', b'{"role":"user","content":""}']
)
def test_a_record_whose_checksum_is_right_but_which_is_no_message_is_corrupt(body: bytes) -> None:
    record = codec.checked(sealed(Record("m", 0, 1, body, b"d" * 16, 0, seq=4)))
    with pytest.raises(CorruptRecord):
        codec.decode(record)


@pytest.mark.parametrize("version", [0, -1, codec.VERSION + 1])
def test_a_version_that_nobody_knows_is_corrupt(version: int) -> None:
    with pytest.raises(CorruptRecord, match="version"):
        codec.decode(msgspec.structs.replace(encode(user("x")), version=version, seq=1))


def test_another_salt_makes_another_digest_of_the_same_body() -> None:
    plain, salted = encode(user("x", id="m")), encode(user("x", id="m"), salt=b"2")
    assert plain.body == salted.body
    assert plain.digest != salted.digest


@given(messages())
def test_a_digest_knows_the_words_and_the_id_and_not_the_time(message: Message) -> None:
    record = encode(message)
    assert len(record.digest) == 16
    retried = msgspec.structs.replace(message, created_at=datetime(2001, 1, 1, tzinfo=UTC))
    assert encode(retried).digest == record.digest
    assert encode(msgspec.structs.replace(message, id=message.id + "x")).digest != record.digest


def test_what_decayed_beyond_reading_can_be_erased() -> None:
    whole = encode(assistant("secret"))
    for changes in (
        {"body": b""},
        {"body": b"\xff" * 40},
        {"body": whole.body[:20]},
        {"version": 99},
        {"created_at": -(1 << 62)},
        {"created_at": 1 << 62, "tokens": -5},
    ):
        stone = codec.tombstone(msgspec.structs.replace(whole, **changes, seq=3))
        left = codec.decode(codec.checked(stone))
        assert (left.seq, left.content, left.redacted, left.id) == (3, "", True, whole.id)
        assert left.role == ("assistant" if whole.body.startswith(changes.get("body", whole.body)[:20] or b"?") else "user")


@given(messages())
def test_a_digest_is_never_that_of_an_erased_message(message: Message) -> None:
    record = encode(message)
    assert record.digest != codec.ERASED
    stone = codec.tombstone(record)
    assert (stone.digest, stone.tokens, stone.id, stone.created_at) == (codec.ERASED, 0, record.id, record.created_at)
    left = codec.decode(stone)
    assert (left.role, left.content, left.redacted, left.metadata) == (message.role, "", True, {})


@given(messages(), st.booleans())
def test_whether_a_record_is_a_text_is_told_from_its_bytes(message: Message, erased: bool) -> None:
    record = encode(message)
    record = codec.tombstone(record) if erased else record
    assert codec.text_role(record) == (message.role if isinstance(message.content, str) and not erased else None)


@given(st.lists(messages(), max_size=4))
def test_messages_leave_as_json_with_their_exact_bodies(said: list[Message]) -> None:
    records = [msgspec.structs.replace(encode(message), seq=seq) for seq, message in enumerate(said, 1)]
    out = json.loads(codec.list_to_json(records))
    for fields, record, message in zip(out, records, said, strict=True):
        assert (fields["seq"], fields["id"], fields["tokens"]) == (record.seq, message.id, 7)
        assert fields["created_at"] == format_time(record.created_at)
        assert json.loads(record.body).items() <= fields.items()
        assert json.loads(codec.said(record)).keys() <= {"role", "content", "name"}


def test_a_message_at_a_limit_is_taken_and_one_over_it_is_not() -> None:
    size = len(encode(user("x" * 100)).body)
    assert encode(user("x" * 100), limits=Limits(message_bytes=size))
    with pytest.raises(TooLarge) as error:
        encode(user("x" * 101), limits=Limits(message_bytes=size))
    assert (error.value.field, error.value.limit, error.value.actual) == ("content", size, size + 1)


def test_text_is_measured_in_bytes_not_in_characters() -> None:
    with pytest.raises(TooLarge):
        encode(user("é" * 100), limits=Limits(message_bytes=200))


def test_parts_are_counted() -> None:
    parts = [Text("x")] * 4
    assert encode(user(parts), limits=Limits(parts=4))
    with pytest.raises(TooLarge) as error:
        encode(user([*parts, Image(url="y")]), limits=Limits(parts=4))
    assert (error.value.limit, error.value.actual, error.value.unit) == (4, 5, "parts")


def test_metadata_is_bounded_in_size_and_depth() -> None:
    assert encode(user("x", metadata={"k": "v" * 92}), limits=Limits(metadata_bytes=100))
    with pytest.raises(TooLarge) as error:
        encode(user("x", metadata={"k": "v" * 93}), limits=Limits(metadata_bytes=100))
    assert (error.value.field, error.value.actual) == ("metadata", 101)
    assert encode(user("x", metadata={"a": {"b": 1}}), limits=Limits(json_depth=2))
    with pytest.raises(InvalidInput, match="too deep"):
        encode(user("x", metadata={"a": {"b": [1]}}), limits=Limits(json_depth=2))


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("records-v*.jsonl")), ids=lambda path: path.stem)
def test_law_14_what_a_released_version_wrote_is_read_and_written_the_same(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    assert len(lines) > 20
    for line in lines:
        record = read(line)
        message = codec.decode(codec.checked(record))
        assert (message.id, message.seq, message.tokens) == (record.id, record.seq, record.tokens)
        if record.version != codec.VERSION or message.redacted:
            continue
        again = codec.encode(message, tokens=record.tokens, limits=WIDE)
        assert msgspec.structs.replace(again, seq=record.seq) == record


def test_law_14_there_is_a_golden_file_for_every_version() -> None:
    assert {path.stem for path in GOLDEN.glob("*.jsonl")} == {f"records-v{n}" for n in range(1, codec.VERSION + 1)}


@pytest.fixture
def two_versions_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turnlog two versions later: `text` was called `content` since, and then marks were added."""
    monkeypatch.setattr(codec, "VERSION", 3)
    monkeypatch.setitem(codec.UPCASTERS, 1, lambda fields: {"role": fields["role"], "content": fields["text"]})
    monkeypatch.setitem(codec.UPCASTERS, 2, lambda fields: {**fields, "metadata": {"from": 2}})


@pytest.mark.usefixtures("two_versions_on")
def test_law_14_an_old_record_is_lifted_step_by_step() -> None:
    old = b'{"role":"user","text":"hello"}'
    record = Record("m", 0, 5, old, b"d" * 16, 0, version=1, seq=2)
    message = codec.decode(record)
    assert (message.content, message.metadata, message.seq, message.tokens) == ("hello", {"from": 2}, 2, 5)
    newer = b'{"role":"user","content":"hello"}'
    record = Record("m", 0, 5, newer, b"d" * 16, 0, version=2, seq=2)
    assert codec.decode(record) == message
    assert json.loads(codec.to_json(record))["metadata"] == {"from": 2}
    assert json.loads(codec.said(record)) == {"role": "user", "content": "hello"}
    assert codec.text_role(record) is None


def test_tool_arguments_are_kept_as_the_model_wrote_them() -> None:
    for arguments in ('{"b":1,"a":2}', "{ not json", "", '{"x": 1e400}', '"\\ud800"'):
        message = assistant([ToolCall("1", "f", arguments)])
        assert codec.decode(encode(message)).tool_calls[0].arguments == arguments
