"""An approval as it is carried and kept: its bytes, a signature beside them, and when a drop believes the two.

The pages' words and a questionnaire are approved alike, and both are believed anew at each start: that something lies
in a folder of the drop says nothing about who put it there.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from hardening.clock import SystemClock, today
from hardening.files import private_folder, write_whole
from keys.errors import KeysError
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg
from keys.keyset import Keyset
from keys.keyset_store import is_stored, load
from keys.signing import MOST_SIGNATURE_BYTES, verify_detached
from questionnaire.approval import MOST_APPROVAL_BYTES, Approval, ApprovedForm, Catalogue, parse_approval
from questionnaire.errors import ApprovalError
from svidok.errors import CommandError
from svidok.place import Place
from svidok.reading import read_bounded

ENDING: Final = ".json"
"""Of an approval's file; that of its signature has another and the same name."""

_SIGNATURE: Final = ".sig"
_PUBLIC_FILE: Final = 0o644


@dataclass(frozen=True, slots=True)
class Signed:
    """An approval as it was brought; nobody has verified it.

    Attributes:
        untrusted: Its bytes, over which the signature is.
    """

    untrusted: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Signers:
    """Who may approve.

    Attributes:
        judge: A gpg that needs to know no keys.
        day: Today: nobody has read anything later.
    """

    keyset: Keyset
    judge: Gpg
    day: date


@dataclass(frozen=True, slots=True)
class Belief:
    """What is to be thought of an approval.

    Attributes:
        what: What it should be about.
        approval: As it says; None if there is none, or it cannot be read.
        signer: Who has signed it; None if it does not hold.
        fault: Why one that is there does not hold, in words; empty if it does, or if there is none.
    """

    what: Catalogue | ApprovedForm
    approval: Approval | None = None
    signer: Fingerprint | None = None
    fault: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is about these very words, by all who must have read them, and signed by somebody who may."""
        return self.signer is not None

    @property
    def stale(self) -> bool:
        """Whether it is about other words."""
        return self.approval is not None and self.approval.what != self.what


def signers_of(place: Place, judge: Gpg, day: date) -> Signers | None:
    """Say who may approve in the drop at *place*; None while it has no keyset.

    Raises:
        KeysetError: Its keyset cannot be read.
    """
    return Signers(load(place.keyset).keyset, judge, day) if is_stored(place.keyset) else None


def signers_here(place: Place) -> Signers | None:
    """Say the same for the administrator's own commands, which have a gpg of their own to judge by; they need root."""
    return signers_of(place, Gpg(private_folder(place.judge)), today(SystemClock()))


def read_signed(path: Path) -> Signed:
    """Read the approval at *path* and its signature.

    Raises:
        CommandError: One of them cannot be read, or is too long.
    """
    signature = read_bounded(path.with_suffix(_SIGNATURE), MOST_SIGNATURE_BYTES)
    return Signed(read_bounded(path, MOST_APPROVAL_BYTES), signature)


def write_signed(path: Path, signed: Signed) -> None:
    """Put *signed* at *path*, in the place of the one before."""
    write_whole(path.with_suffix(_SIGNATURE), signed.signature, _PUBLIC_FILE)
    write_whole(path, signed.untrusted, _PUBLIC_FILE)


def believe(what: Catalogue | ApprovedForm, signed: Signed, signers: Signers) -> tuple[Approval, Fingerprint]:
    """Give what was approved, and by whose signature.

    Raises:
        ApprovalError: It is malformed, about something else than *what*, or of a day that has not come.
        SignatureError: Nobody signed it who may.
    """
    approval = parse_approval(signed.untrusted)
    if not approval.holds_for(what):
        raise ApprovalError(f"the approval for {what.language} is about {_other_than(what)}, or lacks a reader")
    # Recovery is there to mend a keyset that nobody can sign any more; it speaks about nothing else.
    certificates = {signer.fingerprint: signer.certificate for signer in signers.keyset.signers if not signer.recovery}
    # Judged by the day of the reading: what was read stays read when the signer's key has ended.
    day = read_until(approval)
    signer = verify_detached(signed.untrusted, signed.signature, certificates, signers.judge, day)
    if day > signers.day:
        raise ApprovalError(f"the approval for {what.language} is of a day that has not come: set this machine's clock")
    return approval, signer


def look(what: Catalogue | ApprovedForm, path: Path, signers: Signers | None) -> Belief:
    """Say what is to be thought of the approval at *path*; without signers nobody can have approved anything."""
    if not path.exists() and not path.with_suffix(_SIGNATURE).exists():
        return Belief(what)
    approval: Approval | None = None
    try:
        signed = read_signed(path)
        approval = parse_approval(signed.untrusted)
        if signers is None:
            return Belief(what, approval, fault="there is no keyset to judge it by")
        _, signer = believe(what, signed, signers)
    except (ApprovalError, CommandError, KeysError) as error:
        # What cannot be read or believed approves nothing.
        return Belief(what, approval, fault=str(error))
    except OSError as error:
        # Whoever judges writes the signers' keys into a folder of its own first.
        return Belief(what, approval, fault=f"nobody could judge it ({type(error).__name__}: {error.strerror})")
    return Belief(what, approval, signer)


def read_until(approval: Approval) -> date:
    """Give the day by which everybody had read it."""
    return max(reader.day for reader in approval.readers)


def _other_than(what: Catalogue | ApprovedForm) -> str:
    match what:
        case Catalogue():
            return "other words than this software says"
        case ApprovedForm():
            return "another form, version or language"
