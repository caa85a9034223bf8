"""A manifest has one written form, and anything else is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardening.canonical import canonical_json
from keys.manifest import FormVersion, ListedPart, Manifest, ManifestError, format_manifest, listed, parse_manifest

VECTORS = Path(__file__).parents[1] / "vectors" / "manifest"
PLAIN = Manifest(
    form=None,
    language="uk",
    keyset_hash="ab" * 32,
    source_key=bytes(range(32)),
    parts=listed([ListedPart("02" * 16, "file", "ef" * 32), ListedPart("01" * 16, "message", "cd" * 32)]),
)
_HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
_PARTS = st.lists(
    st.builds(
        ListedPart,
        st.text("0123456789abcdef", min_size=32, max_size=32),
        st.sampled_from(["message", "file", "account", "identity", "contact", "consents", "notes"]),
        _HEX,
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda part: part.part_id,
).filter(lambda parts: _each_once([part.kind for part in parts]))
_FORMS = st.none() | st.builds(FormVersion, st.just("witness"), st.just("1.2"), _HEX)


FORM = FormVersion("report", "1", "12" * 32)


def _each_once(kinds: list[str]) -> bool:
    documents = {kind for kind in kinds if kind not in ("message", "file")}
    return documents == {"consents"} or all(
        kinds.count(kind) < 2 for kind in ("account", "identity", "contact", "consents")
    )


@settings(max_examples=60, deadline=None)
@given(_FORMS, st.sampled_from(["en", "uk", "ckb", "pt-BR"]), _HEX, st.binary(min_size=32, max_size=32), _PARTS)
def test_what_is_written_is_read_back(
    form: FormVersion | None, language: str, keyset: str, key: bytes, parts: list[ListedPart]
) -> None:
    report = any(part.kind not in ("message", "file") for part in parts)
    manifest = Manifest(form or (FORM if report else None), language, keyset, key, listed(parts))

    assert parse_manifest(format_manifest(manifest)) == manifest


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(format_manifest(PLAIN)) - 1), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_means_something_else(place: int, byte: int) -> None:
    written = bytearray(format_manifest(PLAIN))
    unchanged = written[place] == byte
    written[place] = byte

    try:
        found = parse_manifest(bytes(written))
    except ManifestError:
        return
    assert unchanged == (found == PLAIN)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "svidok report"},
        {"v": 2},
        {"language": "Ukrainian"},
        {"keyset": "ab"},
        {"source_key": "00" * 31},
        {"parts": []},
        {"more": 1},
        {"form": {"id": "", "version": "1", "sha256": "ab" * 32}},
        {"form": "none"},
    ],
)
def test_other_contents_are_refused(change: dict[str, object]) -> None:
    members = json.loads(format_manifest(PLAIN)) | change

    with pytest.raises(ManifestError):
        parse_manifest(canonical_json(members))


def test_parts_out_of_order_or_twice_are_refused() -> None:
    first, second = PLAIN.parts
    for parts in ((second, first), (first, first)):
        with pytest.raises(ManifestError):
            replace(PLAIN, parts=parts)


def test_a_report_names_its_form_and_has_each_document_once() -> None:
    account, again = (ListedPart(f"0{number}" * 16, "account", "cd" * 32) for number in (1, 2))
    notes = tuple(ListedPart(f"0{number}" * 16, "notes", "ef" * 32) for number in (3, 4))

    assert replace(PLAIN, form=FORM, parts=(account, *notes)).form == FORM
    with pytest.raises(ManifestError, match="names its form"):
        replace(PLAIN, parts=(account,))
    with pytest.raises(ManifestError, match="names its form"):
        replace(PLAIN, parts=notes)
    with pytest.raises(ManifestError, match="once"):
        replace(PLAIN, form=FORM, parts=(account, again))


def test_a_change_of_permissions_has_one_document_for_each_report_and_no_other() -> None:
    both = tuple(ListedPart(f"0{number}" * 16, "consents", "cd" * 32) for number in (1, 2))
    account = ListedPart("03" * 16, "account", "cd" * 32)

    assert replace(PLAIN, form=FORM, parts=both).parts == both
    with pytest.raises(ManifestError, match="once"):
        replace(PLAIN, form=FORM, parts=(*both, account))


def test_the_vectors_hold() -> None:
    vectors = json.loads((VECTORS / "manifests.json").read_text("utf-8"))

    assert vectors["accepted"]
    for vector in vectors["accepted"]:
        assert format_manifest(parse_manifest(vector.encode())) == vector.encode()
    for vector in vectors["refused"]:
        with pytest.raises(ManifestError):
            parse_manifest(vector["text"].encode())
