"""The seal: what was sealed is read with its key, for its conversation, and unchanged, or not at all."""

from secrets import token_bytes, token_hex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnlog.memory.user.sealing import seal, unseal

KEYS = st.binary(min_size=32, max_size=32).map(bytes.hex)
IDS = st.text(max_size=40)


@given(text=st.binary(max_size=500), key=KEYS, other=KEYS)
def test_what_was_sealed_is_read_with_its_key_and_no_other(text: bytes, key: str, other: str) -> None:
    hidden = seal(text, key, "c")
    assert unseal(hidden, key, "c") == text
    assert unseal(hidden, "", "c") is None
    assert key == other or unseal(hidden, other, "c") is None


@given(text=st.binary(max_size=100), key=KEYS, name=IDS, other=IDS)
def test_what_was_sealed_for_one_conversation_is_not_read_in_another(text: bytes, key: str, name: str, other: str) -> None:
    hidden = seal(text, key, name)
    assert unseal(hidden, key, name) == text
    assert name == other or unseal(hidden, key, other) is None


@given(text=st.binary(max_size=100).filter(lambda text: not text.startswith(b"\x00")), key=KEYS)
def test_what_was_never_sealed_is_read_with_any_key(text: bytes, key: str) -> None:
    assert unseal(text, key, "c") == unseal(text, "", "c") == text


def test_a_sealed_text_shows_nothing_and_is_never_sealed_the_same_way_twice() -> None:
    text, key = b"lives in Lisbon " * 9, token_hex(32)
    sealed = {seal(text, key, "c") for _ in range(100)}
    assert len(sealed) == 100
    assert b"Lisbon" not in b"".join(sealed)
    assert {len(one) - len(text) for one in sealed} == {36}


@pytest.mark.parametrize("text", [b"", b"x", token_bytes(1 << 20)], ids=["empty", "one byte", "1 MB"])
def test_a_text_of_any_length_comes_back(text: bytes) -> None:
    key = token_hex(32)
    assert unseal(seal(text, key, "c"), key, "c") == text


def test_a_seal_that_was_tampered_with_is_not_read() -> None:
    key = token_hex(32)
    hidden = seal(b"lives in Lisbon", key, "c")
    for index in range(8, len(hidden)):
        for bit in range(8):
            changed = bytes([hidden[index] ^ 1 << bit])
            assert unseal(hidden[:index] + changed + hidden[index + 1 :], key, "c") is None
    for length in range(8, len(hidden)):
        assert unseal(hidden[:length], key, "c") is None
    assert unseal(hidden + b"\x00", key, "c") is None
