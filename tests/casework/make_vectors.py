"""Make the vector of docs/specs/case-log.md anew: ``python -m tests.casework.make_vectors``."""

import json
from datetime import date
from pathlib import Path

from casework.events import Event, Kind
from hardening.canonical import JSON

VECTOR = Path(__file__).parent.parent / "vectors" / "case-log" / "chain.json"
REVIEWER = "0123456789ABCDEF0123456789ABCDEF01234567"

_SUBMISSION = "1" * 32
_COLLECTION = "c" * 32
_KEY = "07" * 32
_PART: dict[str, JSON] = {"id": "2" * 32, "kind": "message", "sha256": "a" * 64, "size": 65_971}
_MANIFEST: dict[str, JSON] = {"id": "3" * 32, "kind": "manifest", "sha256": "b" * 64, "size": 65_971}

WHAT: list[tuple[date, Kind, dict[str, JSON]]] = [
    (date(2026, 3, 4), Kind.KEYSET, {"keyset": "5" * 64, "serial": 1}),
    (
        date(2026, 3, 9),
        Kind.IMPORTED,
        {
            "bag": "b" * 32,
            "keyset": "5" * 64,
            "collections": [
                {
                    "id": _COLLECTION,
                    "designation": "quiet heron",
                    "source_key": _KEY,
                    "submissions": [
                        {"id": _SUBMISSION, "day": "2026-03-07", "parts": [_PART, _MANIFEST], "problems": []}
                    ],
                }
            ],
        },
    ),
    (
        date(2026, 3, 9),
        Kind.OPENED,
        {
            "submission": _SUBMISSION,
            "source_key": _KEY,
            "parts": [{"id": "2" * 32, "kind": "message", "length": 21, "sha256": "d" * 64}],
        },
    ),
    (
        date(2026, 3, 9),
        Kind.CONSENTS,
        {
            "collection": _COLLECTION,
            "submission": _SUBMISSION,
            "part": "4" * 32,
            "report": "5" * 32,
            "seq": 2,
            "form": {"id": "report", "version": "1", "sha256": "6" * 64},
            "answers": {"c2": "yes", "c8": "later", "c8_what": ["pattern", "quotes"]},
        },
    ),
    (
        date(2026, 3, 10),
        Kind.REPLIED,
        {"reply": "e" * 32, "collection": _COLLECTION, "box": "00ff", "text": "Дякуємо. Чи є ще свідки?"},
    ),
    (
        date(2026, 3, 10),
        Kind.RETURNED,
        {"sequence": 1, "bag": "f" * 64, "replies": ["e" * 32], "imported": ["a" * 64, "b" * 64]},
    ),
]


def main() -> None:
    events: list[dict[str, str]] = []
    before: Event | None = None
    for day, kind, body in WHAT:
        before = Event.following(before, REVIEWER, day, (kind, body))
        events.append({"event": before.format().decode(), "hash": before.hash().hex()})
    first = events[0]["event"]
    vector = {
        "what": "a chain of one event of each kind, with the hash after each; then what is no event",
        "events": events,
        "refused": {
            "a version that is not known": first.replace('"v":1', '"v":2'),
            "true for a number": first.replace('"index":0', '"index":false'),
            "a field more": first.replace('"v":1', '"v":1,"why":"x"'),
            "not canonical": first.replace('"v":1', '"v": 1'),
            "a hash in capitals": first.replace("0" * 64, "A" * 64),
            "a kind that is not known": first.replace('"kind":"keyset"', '"kind":"forgotten"'),
            "a fingerprint in small letters": first.replace(REVIEWER, REVIEWER.lower()),
        },
    }
    VECTOR.write_text(json.dumps(vector, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
