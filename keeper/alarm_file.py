"""Leave alarms where the web processes and `svidok status` read them; reading loads nothing of tor."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hardening.canonical import canonical_json, strict_json
from hardening.files import write_whole

_LARGEST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that needs a person."""

    kind: str
    text: str


def write(found: Iterable[Alarm], day: date, path: Path) -> None:
    """Leave *found* at *path* for the web processes and `svidok status`."""
    told = [{"kind": one.kind, "text": one.text} for one in found]
    write_whole(path, canonical_json({"v": 1, "day": day.isoformat(), "alarms": told}), mode=0o644)


def read(path: Path) -> tuple[Alarm, ...]:
    """Read what `write` left; nothing where the keeper has not looked yet."""
    if not path.exists():
        return ()
    match strict_json(path.read_bytes(), _LARGEST_BYTES):
        case {"v": 1, "alarms": list(told)}:
            return tuple(_alarm(one) for one in told)
        case _:
            return (Alarm("alarms", "the alarms are of another version of this program"),)


def _alarm(told: object) -> Alarm:
    match told:
        case {"kind": str(kind), "text": str(text)}:
            return Alarm(kind, text)
        case _:
            return Alarm("alarms", "an alarm cannot be read")
