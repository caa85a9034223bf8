"""The signed list that says whom reports are sealed to: its contents, its one written form, its meaning on a day."""

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, NamedTuple, Self

from hardening.canonical import JsonError, Writable, canonical_json, strict_json
from keys.certificate import MOST_MINIMAL_BYTES
from keys.errors import FingerprintError, KeysetError
from keys.fields import Fields
from keys.fingerprint import Fingerprint

DEFAULT_QUORUM: Final = 2
MOST_KEYS: Final = 32
MOST_KEYSET_BYTES: Final = 2 * 1024 * 1024

# Days before the end of a key at which people are warned, ever more loudly (G9).
WARNING_DAYS: Final = (60, 30, 7)

_VERSION: Final = 1
_TYPE: Final = "svidok keyset"
_DESK: Final = "default"
_MOST_WITHDRAWN: Final = 1000

_ALGORITHM = re.compile(r"(?:cv25519|rsa\d{4,5})\Z")
_HASH = re.compile(r"[0-9a-f]{64}\Z")
# A C2SP verifier key: name, key id and key, none of which holds a space.
_LOG = re.compile(r"[!-*,-~]{1,120}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{40,100}={0,2}\Z")

# RFC 9580, 9.1: what stands in the packet that holds the session key.
_ECDH_NUMBER = 18
_RSA_NUMBER = 1


@dataclass(frozen=True, slots=True, order=True)
class SubmissionKey:
    """One subkey that reports are sealed to, and the days on which they are.

    Attributes:
        fingerprint: Of the primary key: whose it is.
        subkey: Of the subkey itself.
        certificate: Primary key, user id, this subkey, their self-signatures, and nothing else.
    """

    fingerprint: Fingerprint
    subkey: Fingerprint
    algorithm: str
    not_before: date
    not_after: date
    certificate: bytes

    @property
    def packet_algorithm(self) -> int:
        """The algorithm's number in a message's recipient packet."""
        return _ECDH_NUMBER if self.algorithm == "cv25519" else _RSA_NUMBER

    def usable_on(self, day: date) -> bool:
        """Tell whether reports may be sealed to it on *day*."""
        return self.not_before <= day <= self.not_after


@dataclass(frozen=True, slots=True, order=True)
class Signer:
    """Somebody who may vouch for the next keyset."""

    fingerprint: Fingerprint
    recovery: bool
    not_after: date
    certificate: bytes


class Expiring(NamedTuple):
    """Somebody whose keys end soon; negative days say for how long they have been useless."""

    fingerprint: Fingerprint
    days_left: int

    @property
    def stage(self) -> int:
        """The warning that is due: 60, 30 or 7."""
        return min(days for days in WARNING_DAYS if self.days_left <= days)


@dataclass(frozen=True, slots=True)
class Keyset:
    """The keys of one drop, from one change to the next.

    Attributes:
        serial: Counts the changes, from 1.
        previous: The hash of the keyset before; None in the first.
        created: The day on which it was signed, by which its signatures are judged.
        log: The verifier key of the drop's ledger, if it has one.
        quorum: How many reviewers must be reachable before a report may begin.
        recipients: In order of fingerprint and subkey.
        signers: In order of fingerprint.
        withdrawn: Primary keys that may never come back, in order.
    """

    serial: int
    previous: str | None
    created: date
    log: str | None
    quorum: int
    recipients: tuple[SubmissionKey, ...]
    signers: tuple[Signer, ...]
    withdrawn: tuple[Fingerprint, ...] = ()

    def __post_init__(self) -> None:
        _refuse_disorder(self)

    @property
    def canonical(self) -> bytes:
        """The bytes that are stored, hashed and signed."""
        return canonical_json(_written(self))

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical bytes, in hexadecimal: the name by which everything else refers to it."""
        return hashlib.sha256(self.canonical).hexdigest()

    def succeeded(self, created: date, recipients: Iterable[SubmissionKey], signers: Iterable[Signer]) -> Self:
        """Return the keyset that follows this one with other keys."""
        return replace(
            self,
            serial=self.serial + 1,
            previous=self.hash,
            created=created,
            recipients=tuple(sorted(recipients)),
            signers=tuple(sorted(signers)),
        )

    def without(self, owner: Fingerprint, created: date) -> Self:
        """Return the keyset that follows this one when *owner* withdraws: the same, less her keys, for ever."""
        return replace(
            self,
            serial=self.serial + 1,
            previous=self.hash,
            created=created,
            recipients=tuple(key for key in self.recipients if key.fingerprint != owner),
            signers=tuple(signer for signer in self.signers if signer.fingerprint != owner),
            withdrawn=tuple(sorted({*self.withdrawn, owner})),
        )


def parse(untrusted: bytes) -> Keyset:
    """Read a keyset in its canonical form; who signed it, and whether its certificates are sound, is another question.

    Raises:
        KeysetError: It is malformed, or a byte of it could be written in another way.
    """
    try:
        fields = Fields(strict_json(untrusted, MOST_KEYSET_BYTES, canonical=True))
        if fields.text("type") != _TYPE or fields.integer("v") != _VERSION:
            raise KeysetError(f"this is no keyset of version {_VERSION}")
        desk = fields.inner("desks").inner(_DESK)
        keyset = Keyset(
            serial=fields.integer("serial"),
            previous=fields.text_or_none("previous"),
            created=fields.day("created"),
            log=fields.text_or_none("log"),
            quorum=desk.integer("quorum"),
            recipients=tuple(_recipient(entry) for entry in desk.each("recipients", MOST_KEYS)),
            signers=tuple(_signer(entry) for entry in fields.each("signers", MOST_KEYS)),
            withdrawn=fields.fingerprints("withdrawn", _MOST_WITHDRAWN),
        )
    except (JsonError, FingerprintError) as error:
        raise KeysetError(f"the keyset is malformed: {error}") from error
    # Whatever else the file holds would be missing from what we would write.
    if keyset.canonical != untrusted:
        raise KeysetError("the keyset holds more than a keyset")
    return keyset


def usable(keyset: Keyset, day: date) -> tuple[SubmissionKey, ...]:
    """Return the keys that reports are sealed to on *day*: of each reviewer the newest that is valid (G6, G9)."""
    newest: dict[Fingerprint, SubmissionKey] = {}
    for key in sorted(keyset.recipients, key=lambda key: (key.not_before, key.not_after, key.subkey)):
        if key.usable_on(day):
            newest[key.fingerprint] = key
    return tuple(newest[fingerprint] for fingerprint in sorted(newest))


def quorum_met(keyset: Keyset, day: date) -> bool:
    """Tell whether enough reviewers can be sealed to for a new report to begin."""
    return len(usable(keyset, day)) >= keyset.quorum


def expiring(keyset: Keyset, day: date) -> list[Expiring]:
    """Return whose last submission key, or right to sign, ends within the longest warning, the most urgent first."""
    ends: dict[Fingerprint, date] = {}
    for key in keyset.recipients:
        ends[key.fingerprint] = max(key.not_after, ends.get(key.fingerprint, date.min))
    for signer in keyset.signers:
        ends[signer.fingerprint] = min(signer.not_after, ends.get(signer.fingerprint, date.max))
    soon = [Expiring(fingerprint, (end - day).days) for fingerprint, end in ends.items()]
    return sorted((one for one in soon if one.days_left <= max(WARNING_DAYS)), key=lambda one: (one.days_left, one))


def _recipient(entry: Fields) -> SubmissionKey:
    return SubmissionKey(
        fingerprint=entry.fingerprint("fingerprint"),
        subkey=entry.fingerprint("subkey"),
        algorithm=entry.text("algorithm"),
        not_before=entry.day("not_before"),
        not_after=entry.day("not_after"),
        certificate=entry.content("certificate", MOST_MINIMAL_BYTES),
    )


def _signer(entry: Fields) -> Signer:
    return Signer(
        fingerprint=entry.fingerprint("fingerprint"),
        recovery=entry.truth("recovery"),
        not_after=entry.day("not_after"),
        certificate=entry.content("certificate", MOST_MINIMAL_BYTES),
    )


def _written(keyset: Keyset) -> Writable:
    recipients: list[Writable] = [
        {
            "fingerprint": str(key.fingerprint),
            "subkey": str(key.subkey),
            "algorithm": key.algorithm,
            "not_before": key.not_before.isoformat(),
            "not_after": key.not_after.isoformat(),
            "certificate": base64.b64encode(key.certificate).decode(),
        }
        for key in keyset.recipients
    ]
    signers: list[Writable] = [
        {
            "fingerprint": str(signer.fingerprint),
            "recovery": signer.recovery,
            "not_after": signer.not_after.isoformat(),
            "certificate": base64.b64encode(signer.certificate).decode(),
        }
        for signer in keyset.signers
    ]
    return {
        "type": _TYPE,
        "v": _VERSION,
        "serial": keyset.serial,
        "previous": keyset.previous,
        "created": keyset.created.isoformat(),
        "log": keyset.log,
        "desks": {_DESK: {"quorum": keyset.quorum, "recipients": recipients}},
        "signers": signers,
        "withdrawn": [str(fingerprint) for fingerprint in keyset.withdrawn],
    }


def _refuse_disorder(keyset: Keyset) -> None:
    """Raise what no keyset may be, whoever signed it."""
    subkeys = [key.subkey for key in keyset.recipients]
    signers = [signer.fingerprint for signer in keyset.signers]
    rules = {
        "the first keyset has the serial 1 and nothing before it": keyset.serial >= 1
        and (keyset.previous is None) == (keyset.serial == 1),
        "the hash of the keyset before has 64 hexadecimal digits": _HASH.match(keyset.previous or "0" * 64),
        "the log must be named by a verifier key": keyset.log is None or _LOG.match(keyset.log),
        f"the quorum lies between 1 and {MOST_KEYS}": 1 <= keyset.quorum <= MOST_KEYS,
        "an algorithm must be cv25519 or RSA": all(_ALGORITHM.match(key.algorithm) for key in keyset.recipients),
        "a key must begin before it ends": all(key.not_before <= key.not_after for key in keyset.recipients),
        "recipients must be in order": list(keyset.recipients) == sorted(keyset.recipients),
        "a subkey may stand there only once": len(set(subkeys)) == len(subkeys) <= MOST_KEYS,
        "signers must be in order and each of them once": signers == sorted(set(signers)) and len(signers) <= MOST_KEYS,
        "withdrawn keys must be in order and each of them once": list(keyset.withdrawn)
        == sorted(set(keyset.withdrawn)),
        "a withdrawn key may never come back": not set(keyset.withdrawn).intersection(
            signers, [key.fingerprint for key in keyset.recipients]
        ),
    }
    for rule, kept in rules.items():
        if not kept:
            raise KeysetError(rule)
