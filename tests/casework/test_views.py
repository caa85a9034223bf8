from datetime import date
from typing import Any

import pytest

from casework.errors import EventError
from casework.events import Event, Kind
from casework.views import Cases, fold
from hardening.canonical import JSON

REVIEWER = "A" * 40
COLLECTION = "c" * 32
KEY = b"\x07" * 32


def chain(*what: tuple[Kind, dict[str, JSON]]) -> list[Event]:
    events: list[Event] = []
    for number, each in enumerate(what):
        before = events[-1] if events else None
        events.append(Event.following(before, REVIEWER, date(2026, 3, 4 + number), each))
    return events


def submission(number: int, day: str = "2026-03-04", parts: int = 2) -> dict[str, JSON]:
    return {
        "id": f"{number:032x}",
        "day": day,
        "parts": [
            {"id": f"{number:030x}{part:02x}", "kind": "file", "sha256": f"{number * 8 + part:064x}", "size": 65_536}
            for part in range(parts)
        ],
        "problems": [],
    }


def imported(*submissions: dict[str, JSON], collection: str = COLLECTION) -> tuple[Kind, dict[str, JSON]]:
    told: dict[str, JSON] = {
        "id": collection,
        "designation": "quiet heron",
        "source_key": KEY.hex(),
        "submissions": list(submissions),
    }
    return Kind.IMPORTED, {"bag": "b" * 32, "keyset": "5" * 64, "collections": [told]}


def test_submissions_stand_in_their_collection_by_day() -> None:
    cases = fold(chain(imported(submission(1, "2026-03-05"), submission(2, "2026-03-04"))))

    assert [one.day.day for one in cases.of_collection(COLLECTION)] == [4, 5]
    assert cases.of_collection("d" * 32) == []
    assert len(cases.parts) == 4
    assert len(cases.unreceipted()) == 4


def test_what_was_told_first_stays() -> None:
    changed = submission(1, "2026-03-09", parts=1)

    cases = fold(chain(imported(submission(1)), imported(changed)))

    assert cases.submissions[f"{1:032x}"].day.day == 4
    assert len(cases.of_collection(COLLECTION)) == 1


def test_what_a_return_bag_carried_is_not_carried_again() -> None:
    replied: dict[str, JSON] = {"reply": "e" * 32, "collection": COLLECTION, "box": "00ff", "text": "words"}
    receipt = f"{8:064x}"
    returned: dict[str, JSON] = {"sequence": 1, "bag": "0" * 64, "replies": ["e" * 32], "imported": [receipt]}

    before = fold(chain(imported(submission(1)), (Kind.REPLIED, replied)))
    after = fold(chain(imported(submission(1)), (Kind.REPLIED, replied), (Kind.RETURNED, returned)))

    assert [reply.box for reply in before.unreturned()] == [b"\x00\xff"]
    assert before.sequences == {}
    assert after.unreturned() == []
    assert after.unreceipted() == [f"{9:064x}"]
    assert after.sequences == {REVIEWER: 1}
    assert after.sent[REVIEWER, 1].imported == (receipt,)


def test_an_opening_keeps_the_key_that_the_source_named() -> None:
    opened: dict[str, JSON] = {"submission": f"{1:032x}", "source_key": KEY.hex(), "parts": []}

    assert fold(chain(imported(submission(1)), (Kind.OPENED, opened))).opened == {f"{1:032x}": KEY}


def consents(answers: dict[str, JSON], seq: int = 1, report: str = "9" * 32) -> tuple[Kind, dict[str, JSON]]:
    told: dict[str, JSON] = {
        "collection": COLLECTION,
        "submission": f"{seq:032x}",
        "part": "4" * 32,
        "report": report,
        "seq": seq,
        "form": {"id": "report", "version": "1", "sha256": "6" * 64},
        "answers": answers,
    }
    return Kind.CONSENTS, told


def allowed(*what: tuple[Kind, dict[str, JSON]]) -> list[dict[str, JSON]]:
    return [dict(one.answers) for one in fold(chain(*what)).consents_of(COLLECTION)]


def test_of_what_a_source_allows_the_newest_sending_holds_in_whatever_order_it_was_opened() -> None:
    old, new = consents({"c2": "yes"}, 1), consents({"c2": "no"}, 2)

    assert allowed(old, new) == [{"c2": "no"}]
    assert allowed(new, old) == [{"c2": "no"}]
    assert allowed(new, new) == [{"c2": "no"}]
    assert fold(chain(old)).consents_of("d" * 32) == []


def test_two_that_claim_the_same_place_both_stand() -> None:
    yes, no = consents({"c2": "yes"}, 2), consents({"c2": "no"}, 2)

    assert allowed(consents({}, 1), yes, no, yes) == [{"c2": "yes"}, {"c2": "no"}]
    assert allowed(yes, no, consents({"c2": "later"}, 3)) == [{"c2": "later"}]


def test_each_report_has_its_own() -> None:
    assert allowed(consents({"c2": "yes"}, 5), consents({}, 1, "8" * 32)) == [{"c2": "yes"}, {}]


@pytest.mark.parametrize(("answer", "allows"), [("yes", True), ("no", False), ("later", False), (["yes"], False)])
def test_only_yes_is_yes(answer: JSON, allows: bool) -> None:
    (held,) = fold(chain(consents({"c2": answer}))).consents_of(COLLECTION)

    assert held.allows("c2") == allows
    assert not held.allows("c3")


@pytest.mark.parametrize(
    "what",
    [
        (Kind.IMPORTED, {}),
        (Kind.IMPORTED, {"collections": {}}),
        (Kind.IMPORTED, {"collections": [1]}),
        imported({"id": "1"}),
        imported({**submission(1), "day": "yesterday"}),
        imported({**submission(1), "problems": [1]}),
        imported({**submission(1), "parts": [{"id": 1}]}),
        (Kind.OPENED, {"submission": 1}),
        (Kind.OPENED, {"submission": "1", "source_key": "zz"}),
        (Kind.CONSENTS, {"collection": COLLECTION}),
        (Kind.CONSENTS, {**consents({})[1], "seq": "1"}),
        (Kind.CONSENTS, {**consents({})[1], "answers": []}),
        (Kind.CONSENTS, {**consents({})[1], "form": "report"}),
        (Kind.REPLIED, {"reply": "e"}),
        (Kind.REPLIED, {"reply": "e", "collection": "c", "box": 5, "text": ""}),
        (Kind.RETURNED, {"sequence": "1", "replies": [], "imported": []}),
        (Kind.RETURNED, {"sequence": True, "replies": [], "imported": []}),
        (Kind.KEYSET, {"keyset": None}),
    ],
)
def test_a_body_that_makes_no_sense_is_named(what: tuple[Kind, Any]) -> None:
    with pytest.raises(EventError, match=f"event 0 of kind {what[0]} "):
        fold(chain(what))


def _folded(count: int) -> Cases:
    what = [imported(submission(number), collection=f"{number:032x}") for number in range(count)]
    before: Event | None = None
    events: list[Event] = []
    for each in what:
        # The chain itself does not matter here, and hashing it would be what is measured.
        before = Event(REVIEWER, 0 if before is None else before.index + 1, bytes(32), date(2026, 3, 4), *each)
        events.append(before)
    return fold(events)


def test_folding_and_listing_a_large_log_is_linear() -> None:
    """Counted, not timed: each submission is looked at once more when its collection is asked for, and no other is."""
    cases = _folded(20_000)

    assert len(cases.submissions) == 20_000
    assert all(len(cases.of_collection(each)) == 1 for each in cases.collections)
