"""The size of a picture from its header, and its price by the vendor's rule."""

import base64
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnlog import Image, user
from turnlog.tokens import MESSAGE_OVERHEAD, counter
from turnlog.tokens.media import Area, Flat, Patches, Tiles, size

SIDES = st.integers(1, 16_383)


def picture(data: bytes) -> Image:
    return Image(data=base64.b64encode(data).decode(), media_type="image/any")


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + bytes(9)


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + bytes(9)


def jpeg(width: int, height: int, before: bytes = b"") -> bytes:
    segments = b"".join(
        b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part
        for part in (before[at : at + 60_000] for at in range(0, len(before), 60_000))
    )
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + segments + b"\xff\xc4\x00\x04\x00\x00" + b"\xff" + frame + b"\xff\xda" + bytes(50)


def webp(width: int, height: int) -> bytes:
    return b"RIFF" + bytes(4) + b"WEBPVP8 " + bytes(4) + b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + bytes(9)


def webp_lossless(width: int, height: int) -> bytes:
    bits = width - 1 | height - 1 << 14
    return b"RIFF" + bytes(4) + b"WEBPVP8L" + bytes(4) + b"\x2f" + struct.pack("<I", bits) + bytes(9)


def webp_extended(width: int, height: int) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + bytes(4) + b"WEBPVP8X" + bytes(8) + sides + bytes(9)


def box(kind: bytes, *parts: bytes) -> bytes:
    payload = b"".join(parts)
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


def heic(width: int, height: int, brand: bytes = b"heic") -> bytes:
    """As ISO/IEC 23008-12 has it: the primary item, and a thumbnail whose size comes first."""
    sizes = box(b"ispe", struct.pack(">III", 0, 16, 9)), box(b"ispe", struct.pack(">III", 0, width, height))
    owners = box(b"ipma", struct.pack(">II", 0, 2), struct.pack(">HBB", 1, 1, 2), struct.pack(">HBB", 2, 1, 1))
    properties = box(b"iprp", box(b"ipco", *sizes), owners)
    meta = box(b"meta", bytes(4), box(b"pitm", struct.pack(">IH", 0, 1)), properties)
    return box(b"ftyp", brand, bytes(4), b"mif1") + meta + box(b"mdat", bytes(300_000))


def avif(width: int, height: int) -> bytes:
    return heic(width, height, b"avif")


FORMS = [png, gif, jpeg, webp, webp_lossless, webp_extended, heic, avif]


@pytest.mark.parametrize("form", FORMS)
@given(width=SIDES, height=SIDES)
def test_the_size_is_read_from_the_header(form, width: int, height: int) -> None:
    assert size(picture(form(width, height))) == (width, height)


def test_the_size_of_a_photograph_is_found_behind_what_the_camera_wrote() -> None:
    assert size(picture(jpeg(4000, 3000, before=b"\xff\xc0" * 60_000))) == (4000, 3000)


@given(st.binary(max_size=80), st.integers(0, 40), st.sampled_from(FORMS))
def test_a_broken_picture_costs_something_and_raises_nothing(noise: bytes, cut: int, form) -> None:
    for data in (noise, form(10, 10)[:cut], form(10, 10)[:cut] + noise):
        for name in ("o200k_base", "gpt-4o-mini", "gpt-4.1-nano", "claude", "estimate"):
            assert counter(name)(user([picture(data)])) > MESSAGE_OVERHEAD


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
def test_a_truncated_header_has_no_size_or_the_right_one(form, data: st.DataObject) -> None:
    whole = form(640, 480)[:400]
    assert size(picture(whole[: data.draw(st.integers(0, len(whole)))])) in (None, (640, 480))


HOSTILE = {
    "jpeg without a frame": b"\xff\xd8" + bytes(300_000),
    "jpeg of fill bytes": b"\xff\xd8" + b"\xff" * 300_000,
    "jpeg of restarts": b"\xff\xd8" + b"\xff\xd0" * 150_000,
    "heic of empty boxes": box(b"ftyp", b"heic", bytes(4)) + box(b"meta", bytes(4), box(b"iprp", box(b"free") * 37_000)),
    "heic of many properties": box(b"ftyp", b"heic", bytes(4))
    + box(b"meta", bytes(4), box(b"iprp", box(b"ipco", box(b"x") * 9_000))),
    "netpbm of digits": b"P6 " + b"1" * 300_000,
    "svg of digits": b"<svg width='" + b"9" * 400 + b"' height='" + b"9" * 400 + b"'>",
    "tiff of many tags": b"II+\x00\x08\x00\x00\x00" + (16).to_bytes(8, "little") + b"\xff" * 8 + bytes(300_000),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_header_has_no_size_and_takes_little_time(data: bytes) -> None:
    begun = time.process_time()
    assert size(picture(data)) is None
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize("rule", [Tiles(), Patches(1.62), Area(), Flat()])
def test_a_giant_size_costs_what_an_unknown_one_costs_at_most(rule) -> None:
    giant = size(picture(png(2**32 - 1, 2**32 - 1)))
    assert giant == (2**32 - 1, 2**32 - 1)
    assert 0 < rule(giant) <= rule(None)


def test_a_picture_without_width_or_height_counts_as_unknown() -> None:
    assert [size(picture(png(0, 10))), size(picture(gif(10, 0))), size(Image(url="https://example.com/a.png"))] == [None] * 3


@pytest.mark.parametrize(
    ("sides", "tokens"),
    [
        ((1024, 1024), 765),
        ((2048, 4096), 1105),
        ((128, 64), 255),
        ((512, 512), 255),
        ((513, 512), 425),
        ((2049, 513), 1445),
        ((2050, 513), 765),
        ((1, 10_000), 765),
        (None, 1445),
    ],
)
def test_tiles_cost_what_the_vendor_tells(sides: tuple[int, int] | None, tokens: int) -> None:
    assert Tiles()(sides) == tokens


def test_patches_and_areas_cost_what_the_vendors_tell() -> None:
    assert Patches(1.62)((1024, 1024)) == 1659
    assert Patches(1.62)((4000, 1474)) == Patches(1.62)(None) == 2489
    assert Area()((1000, 1000)) == 1334
    assert Area()((8000, 8000)) == Area()(None) == 5000


@pytest.mark.parametrize("rule", [Tiles(), Tiles(2833, 5667), Patches(2.46), Area(), Flat()])
@given(width=SIDES, height=SIDES)
def test_no_size_costs_more_than_an_unknown_one(rule, width: int, height: int) -> None:
    assert 0 < rule((width, height)) <= rule(None)


def test_a_picture_by_value_costs_by_its_size() -> None:
    count = counter("gpt-4o")
    assert count(user([picture(png(1024, 1024))])) == MESSAGE_OVERHEAD + 765
    assert count(user([picture(png(100, 100))])) == MESSAGE_OVERHEAD + 255
