import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.errors import KeysError
from keys.manifest import (
    MOST_MANIFEST_BYTES,
    MOST_PARTS,
    FormVersion,
    ListedPart,
    Manifest,
    ManifestError,
    format_manifest,
    listed,
    parse_manifest,
)

_VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "manifest" / "manifests.json").read_text("utf-8"))
_ACCEPTED: list[str] = _VECTORS["accepted"]
_REFUSED: list[dict[str, str]] = _VECTORS["refused"]


def _hexadecimal(digits: int) -> st.SearchStrategy[str]:
    return st.text("0123456789abcdef", min_size=digits, max_size=digits)


_NAMES = st.from_regex(re.compile(r"[0-9A-Za-z._-]{1,64}", re.ASCII), fullmatch=True)
_FORMS = st.none() | st.builds(FormVersion, form_id=_NAMES, version=_NAMES, sha256=_hexadecimal(64))
_PARTS = st.lists(
    st.builds(ListedPart, _hexadecimal(32), st.sampled_from(["message", "file"]), _hexadecimal(64)),
    min_size=1,
    max_size=5,
    unique_by=lambda part: part.part_id,
).map(listed)
_LANGUAGES = st.sampled_from(["en", "uk", "pt-BR"])
_KEYS = st.binary(min_size=32, max_size=32)
_MANIFESTS = st.builds(Manifest, _FORMS, _LANGUAGES, _hexadecimal(64), _KEYS, _PARTS)


@pytest.mark.parametrize("accepted", _ACCEPTED)
def test_a_manifest_of_the_specification_is_read_and_written_as_it_stands(accepted: str) -> None:
    assert format_manifest(parse_manifest(accepted.encode())) == accepted.encode()


@pytest.mark.parametrize("refused", _REFUSED, ids=lambda refused: str(refused["why"]))
def test_anything_else_is_refused(refused: dict[str, str]) -> None:
    with pytest.raises(ManifestError):
        parse_manifest(refused["manifest"].encode())


@settings(max_examples=50, deadline=None)
@given(_MANIFESTS)
def test_what_is_written_is_what_is_read(manifest: Manifest) -> None:
    assert parse_manifest(format_manifest(manifest)) == manifest


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused_and_nothing_else_happens(untrusted: bytes) -> None:
    with pytest.raises(ManifestError):
        parse_manifest(untrusted)


@pytest.mark.check("R3")
@settings(max_examples=50, deadline=None)
@given(st.integers(0, len(_ACCEPTED[0]) - 1), st.integers(0, 7))
def test_a_bit_that_flips_is_never_taken_for_the_same_manifest(place: int, bit: int) -> None:
    changed = bytearray(_ACCEPTED[0].encode())
    changed[place] ^= 1 << bit

    try:
        found = parse_manifest(bytes(changed))
    except ManifestError:
        return
    assert found != parse_manifest(_ACCEPTED[0].encode())


def test_more_than_a_manifest_may_hold_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(ManifestError):
        parse_manifest(b"[" * (MOST_MANIFEST_BYTES + 1))


def test_a_submission_of_the_most_parts_fits() -> None:
    parts = listed(ListedPart(f"{number:032x}", "file", "a" * 64) for number in range(MOST_PARTS))
    manifest = Manifest(None, "en", "0" * 64, bytes(32), parts)

    assert parse_manifest(format_manifest(manifest)) == manifest
    with pytest.raises(ManifestError, match="1 to 256 parts"):
        Manifest(None, "en", "0" * 64, bytes(32), (*parts, ListedPart("f" * 32, "file", "a" * 64)))


def test_a_broken_manifest_is_an_error_of_this_package() -> None:
    assert issubclass(ManifestError, KeysError)
