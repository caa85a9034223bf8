"""Show whom reports are sealed to, until when, and what needs a person."""

import asyncio
from datetime import date
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from journalist_interface.site import Caller, Site
from keys.keyset import Keyset, SubmissionKey, expiring, quorum_met, usable


class KeyRow(NamedTuple):
    """One key that reports are or were sealed to."""

    key: SubmissionKey
    state: str


class Judged(NamedTuple):
    """The keyset on a day."""

    keyset: Keyset
    keys: tuple[KeyRow, ...]
    usable: int
    met: bool
    days_left: dict[str, int]
    stages: dict[str, int]


async def show(_request: Request, site: Site, caller: Caller) -> Response:
    """Show the keyset and the alarms."""
    signed = await asyncio.to_thread(site.parts.keyset)
    judged = judged_on(signed.keyset, site.today()) if signed else None
    return site.page(caller, "keyset.html", judged=judged, alarms=caller.alarms)


def judged_on(keyset: Keyset, day: date) -> Judged:
    """Judge the keyset as of *day*."""
    in_use = {key.subkey for key in usable(keyset, day)}
    soon = expiring(keyset, day)
    return Judged(
        keyset=keyset,
        keys=tuple(KeyRow(key, _state(key, day, used=key.subkey in in_use)) for key in keyset.recipients),
        usable=len(in_use),
        met=quorum_met(keyset, day),
        days_left={str(one.fingerprint): one.days_left for one in soon},
        stages={str(one.fingerprint): one.stage for one in soon},
    )


def _state(key: SubmissionKey, day: date, *, used: bool) -> str:
    if used:
        return "used"
    if day > key.not_after:
        return "expired"
    return "later" if day < key.not_before else "replaced"
