"""An approval says which words were read, and by whom; anything else is none."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardening.canonical import canonical_json, strict_json
from questionnaire.approval import Approval, Reader, format_approval, parse_approval
from questionnaire.errors import ApprovalError
from questionnaire.load import parse_form
from tests.questionnaire.tables import COMPILED

NATIVE, SURVIVOR = Reader("native", "Olena"), Reader("survivor", "heron")
GOOD = Approval(
    kind="form", sha256="a" * 64, name="report", version="1", language="uk", readers=(NATIVE, SURVIVOR),
    day=date(2026, 3, 4),
)  # fmt: skip


@given(
    st.lists(st.sampled_from([NATIVE, SURVIVOR, Reader("lawyer", "Ірина")]), max_size=14),
    st.dates(min_value=date(1, 1, 1)),
)
def test_what_is_written_is_read(more: list[Reader], day: date) -> None:
    approval = replace(GOOD, readers=(*GOOD.readers, *more), day=day)

    assert parse_approval(format_approval(approval)) == approval


@pytest.mark.parametrize(
    "change",
    [
        {"type": "svidok keyset"},
        {"v": 2},
        {"kind": "words"},
        {"sha256": "A" * 64},
        {"sha256": "a" * 64 + "\n"},
        {"language": "UK"},
        {"readers": []},
        {"readers": [{"role": "native", "name": "Olena"}]},
        {"readers": [{"role": "survivor", "name": "heron"}]},
        {"readers": [{"role": "native", "name": "a"}, {"role": "survivor", "name": ""}]},
        {"readers": [{"role": "native", "name": "a"}, {"role": "survivor", "name": "b\n"}]},
        {"readers": [{"role": "native", "name": "a"}, {"role": "survivor", "name": "b" * 101}]},
        {"readers": [{"role": "native", "name": "a"}, {"role": "friend", "name": "b"}]},
        {"readers": [{"role": "native", "name": "a"}, {"role": "survivor", "name": "b", "age": 3}]},
        {"readers": [{"role": "native", "name": "a"}] * 16 + [{"role": "survivor", "name": "b"}]},
        {"readers": "everybody"},
        {"readers": ["Olena"]},
        {"day": "2026-02-31"},
        {"day": "20260304"},
        {"day": 20260304},
        {"more": "words"},
    ],
)
def test_anything_else_is_refused(change: dict[str, Any]) -> None:
    members: Any = strict_json(format_approval(GOOD), 10_000)

    with pytest.raises(ApprovalError):
        parse_approval(canonical_json({**members, **change}))


@pytest.mark.parametrize("member", ["type", "v", "kind", "sha256", "id", "version", "language", "readers", "day"])
def test_a_member_that_is_missing_is_refused(member: str) -> None:
    members: Any = strict_json(format_approval(GOOD), 10_000)
    del members[member]

    with pytest.raises(ApprovalError):
        parse_approval(canonical_json(members))


@pytest.mark.parametrize("untrusted", [b"", b"[]", b"{}", b"null", format_approval(GOOD) + b"\n", b" " * 20_000])
def test_bytes_that_are_no_approval_are_refused(untrusted: bytes) -> None:
    with pytest.raises(ApprovalError):
        parse_approval(untrusted)


def test_the_vector_is_about_the_form_beside_it() -> None:
    approval = parse_approval(COMPILED.with_name("approval.json").read_bytes())
    form = parse_form(COMPILED.read_bytes())

    assert (approval.sha256, approval.name, approval.version) == (form.sha256, form.form_id, form.version)
    assert approval == replace(GOOD, sha256=form.sha256, name="example")
