"""The seal: what was sealed is read with its key alone."""

from secrets import token_hex

from hypothesis import given
from hypothesis import strategies as st

from turnlog.memory.user.sealing import seal, unseal

KEYS = st.binary(min_size=32, max_size=32).map(bytes.hex)


@given(text=st.binary(max_size=500), key=KEYS, other=KEYS)
def test_what_was_sealed_is_read_with_its_key_and_no_other(text: bytes, key: str, other: str) -> None:
    hidden = seal(text, key)
    assert unseal(hidden, key) == text
    assert unseal(hidden, "") is None
    assert key == other or unseal(hidden, other) is None


@given(text=st.binary(max_size=100).filter(lambda text: not text.startswith(b"\x00")), key=KEYS)
def test_what_was_never_sealed_is_read_with_any_key(text: bytes, key: str) -> None:
    assert unseal(text, key) == unseal(text, "") == text


def test_a_sealed_text_shows_nothing_and_is_never_sealed_the_same_way_twice() -> None:
    text, key = b"lives in Lisbon " * 9, token_hex(32)
    one, other = seal(text, key), seal(text, key)
    assert one != other
    assert b"Lisbon" not in one + other
    assert len(one) - len(text) < 64


def test_a_seal_that_was_tampered_with_is_not_read() -> None:
    key = token_hex(32)
    hidden = seal(b"lives in Lisbon", key)
    for place in range(8, len(hidden)):
        assert unseal(hidden[:place] + bytes([hidden[place] ^ 1]) + hidden[place + 1 :], key) is None
    assert unseal(hidden[:20], key) is None
