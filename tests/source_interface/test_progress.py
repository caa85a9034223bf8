"""The progress of a report is sealed to one size, opens with one codename, and is never an error."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import sodium_pad
from nacl.secret import SecretBox

from hardening.canonical import JSON, Writable, canonical_json
from keys.source_key import SourceSecrets
from questionnaire.load import named
from questionnaire.served import packaged
from source_interface.progress import MOST_REPORTS, Progress, _box, open_progress, seal_progress
from source_interface.report_state import ReportState
from tests.source_interface.reports import FORM
from vault.records import PROGRESS_BYTES

HERS = SourceSecrets(b"l" * 32, b"s" * 32)
OTHER = SourceSecrets(b"l" * 32, b"t" * 32)
PROGRESS = Progress(
    report_id="0123456789abcdef" * 2, seq=3, way="report", reached=("safety", "now"), contact=True, language="uk"
)
_PAGES = st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True), max_size=30).map(tuple)


@given(st.builds(replace, st.just(PROGRESS), seq=st.integers(0, 10**6), contact=st.none() | st.booleans()))
def test_what_is_sealed_is_opened_again_by_the_same_codename(progress: Progress) -> None:
    assert open_progress(seal_progress(progress, HERS), HERS) == progress


@given(_PAGES, _PAGES)
def test_every_progress_has_one_size_and_one_that_is_too_long_forgets_its_last_pages(
    reached: tuple[str, ...], ahead: tuple[str, ...]
) -> None:
    sealed = seal_progress(replace(PROGRESS, reached=reached, ahead=ahead), HERS)
    opened = open_progress(sealed, HERS)

    assert len(sealed) == PROGRESS_BYTES
    assert opened is not None
    assert opened.reached == reached[: len(opened.reached)]
    assert opened.ahead == ahead[: len(opened.ahead)]
    # What is forgotten first can be found again by answering anew.
    assert opened.reached == reached or not opened.ahead


@pytest.mark.parametrize("reached", range(12))
def test_all_pages_of_the_form_have_room_beside_as_many_reports_as_a_source_may_tell(reached: int) -> None:
    form = packaged()
    assert form is not None
    pages = tuple(page.name for page in form.flow)
    others = tuple(f"{number:032x}" for number in range(MOST_REPORTS - 1))
    progress = replace(
        PROGRESS, seq=1000, form="12345678", reached=pages[:reached], ahead=pages[reached:], others=others
    )

    assert open_progress(seal_progress(progress, HERS), HERS) == progress
    assert progress.reports == (*others, PROGRESS.report_id)


@pytest.mark.parametrize(
    "untrusted",
    [
        None,
        b"",
        secrets.token_bytes(PROGRESS_BYTES),
        bytes(PROGRESS_BYTES),
        seal_progress(PROGRESS, HERS)[:-1],
        seal_progress(PROGRESS, HERS) + b"x",
        seal_progress(PROGRESS, OTHER),
    ],
)
def test_what_does_not_open_is_no_progress(untrusted: bytes | None) -> None:
    assert open_progress(untrusted, HERS) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda told: {**told, "v": 3},
        lambda told: {**told, "more": 1},
        lambda told: {key: value for key, value in told.items() if key != "seq"},
        lambda told: {**told, "contact": "yes"},
        lambda told: {**told, "way": "send"},
        lambda told: {**told, "seq": True},
        lambda told: {**told, "v": True},
        lambda told: {**told, "reached": [1]},
        lambda told: {**told, "ahead": ["safety"]},
        lambda told: {**told, "others": ["0" * 32]},
        lambda told: {**told, "others": "0" * 33},
        lambda _: [],
    ],
)
def test_what_another_version_wrote_is_no_progress(change: Callable[[dict[str, object]], object]) -> None:
    told: dict[str, object] = {
        "v": 2,
        "report": PROGRESS.report_id,
        "seq": 3,
        "way": "report",
        "form": "",
        "reached": "safety",
        "ahead": "",
        "contact": None,
        "language": "en",
        "others": "",
    }
    assert open_progress(_sealed(canonical_json(told)), HERS) is not None  # type: ignore[arg-type]

    assert open_progress(_sealed(canonical_json(change(told))), HERS) is None  # type: ignore[arg-type]
    assert open_progress(_sealed(b"no JSON"), HERS) is None


def test_what_the_first_version_wrote_is_still_read() -> None:
    told: dict[str, JSON] = {
        "v": 1,
        "report": PROGRESS.report_id,
        "seq": 3,
        "way": "report",
        "reached": ["safety", "now"],
        "contact": True,
        "language": "uk",
        "others": ["ab" * 16, "cd" * 16],
    }

    opened = open_progress(_sealed(canonical_json(cast("Writable", told))), HERS)

    assert opened == replace(PROGRESS, others=("ab" * 16, "cd" * 16))
    assert open_progress(_sealed(canonical_json(cast("Writable", {**told, "more": 1}))), HERS) is None


def test_pages_lead_on_in_the_form_alone_that_has_them() -> None:
    progress = replace(PROGRESS, form=FORM.sha256[:8], ahead=("choices",))
    other = named(replace(FORM, version="2"))

    assert ReportState.resumed(FORM, "report", progress).led_over == {"safety": True, "now": True, "choices": False}
    assert ReportState.resumed(other, "report", progress).led_over == {}
    assert ReportState.resumed(other, "report", progress).earlier == ("safety", "now")


@pytest.mark.check("F12")
def test_two_seals_of_the_same_progress_have_nothing_in_common() -> None:
    first, second = seal_progress(PROGRESS, HERS), seal_progress(PROGRESS, HERS)

    assert first != second
    assert b"safety" not in first
    assert sum(a == b for a, b in zip(first, second, strict=True)) < PROGRESS_BYTES // 16


def _sealed(written: bytes) -> bytes:
    padded = PROGRESS_BYTES - SecretBox.NONCE_SIZE - SecretBox.MACBYTES
    return bytes(_box(HERS).encrypt(sodium_pad(written, padded)))
