"""A reviewer's desk: the folder of the workstation, her key, the pinned drop and keysets, the open case log."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from casework.errors import CaseworkError, EventError
from casework.events import Event, Kind
from casework.log import CaseLog
from hardening.canonical import JSON, JsonError, Writable, canonical_json, strict_json
from hardening.clock import Clock, today
from hardening.files import private_folder, write_whole
from keys.errors import KeysError
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, stop_agent
from keys.keyset import Keyset
from keys.keyset_store import load, store
from keys.keyset_trust import SignedKeyset, verify_change, verify_first
from keys.signing import sign_detached, verify_detached
from ledger.errors import LedgerError
from ledger.note import VerifierKey
from workstation.errors import DeskError

_LARGEST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything lies in the workstation's folder."""

    root: Path

    @property
    def about(self) -> Path:
        """Whose desk this is and which drop it serves."""
        return self.root / "workstation.json"

    @property
    def gnupg(self) -> Path:
        """The reviewer's GnuPG home."""
        return self.root / "gnupg"

    @property
    def judge(self) -> Path:
        """A GnuPG home without keys, for judging what others made."""
        return self.root / "judge"

    @property
    def keysets(self) -> Path:
        """Every keyset that was verified here, by hash."""
        return self.root / "keysets"

    @property
    def log(self) -> Path:
        """The case log."""
        return self.root / "casework.db"

    @property
    def incoming(self) -> Path:
        """Where bags are unpacked."""
        return self.root / "incoming"

    @property
    def sealed(self) -> Path:
        """The sealed originals, a folder for each submission."""
        return self.root / "sealed"

    @property
    def promises(self) -> Path:
        """The log's promises, by leaf hash."""
        return self.root / "promises"

    @property
    def outbox(self) -> Path:
        """Return bags, ready for the medium."""
        return self.root / "outbox"


@dataclass(frozen=True, slots=True)
class About:
    """Whose desk this is and which drop it serves; pinned when the desk was made.

    Attributes:
        agent_asks: Her key asks for itself (a smartcard's PIN); the passphrase then opens the case log alone.
    """

    reviewer: Fingerprint
    log: VerifierKey
    keyset: str
    agent_asks: bool

    def write(self, path: Path) -> None:
        """Leave this at *path*."""
        told: dict[str, Writable] = {
            "v": 1,
            "reviewer": str(self.reviewer),
            "log": str(self.log),
            "keyset": self.keyset,
            "agent_asks": self.agent_asks,
        }
        write_whole(path, canonical_json(told))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Take this up again.

        Raises:
            DeskError: It is not there or not readable.
        """
        try:
            told = strict_json(path.read_bytes()[: _LARGEST_BYTES + 1], _LARGEST_BYTES, canonical=True)
            match told:
                case {
                    "v": 1,
                    "reviewer": str(reviewer),
                    "log": str(log),
                    "keyset": str(keyset),
                    "agent_asks": bool(agent_asks),
                }:
                    return cls(Fingerprint(reviewer), VerifierKey.parse(log), keyset, agent_asks)
                case _:
                    raise DeskError("the workstation's folder is of another version of this program")
        except (OSError, JsonError, KeysError, LedgerError) as error:
            raise DeskError(f"this is not the folder of a workstation ({type(error).__name__})") from error


@dataclass(frozen=True, slots=True)
class Desk:
    """An open desk; `close` it. Everything that happens at it is one event of the case log."""

    layout: Layout
    about: About
    log: CaseLog
    clock: Clock
    passphrase: str | None

    @property
    def gpg(self) -> Gpg:
        """The gpg that holds the reviewer's key."""
        return Gpg(self.layout.gnupg, agent=True)

    @property
    def judge(self) -> Gpg:
        """A gpg that holds nothing."""
        return Gpg(self.layout.judge)

    def record(self, kind: Kind, body: dict[str, JSON]) -> Event:
        """Sign and keep one event.

        Raises:
            KeysError: Her key did not sign.
            CaseworkError: It cannot be written.
        """
        return self.log.append(str(self.about.reviewer), self.sign, today(self.clock), (kind, body))

    def sign(self, body: bytes) -> bytes:
        """Make the reviewer's detached signature."""
        return sign_detached(body, self.gpg, self.about.reviewer, today(self.clock), self.passphrase)

    def verify_log(self) -> int:
        """Check every chain and signature of the case log; give the number of events.

        Raises:
            EventError: One is out of its place, changed, or not signed by its reviewer.
        """
        certificates = {
            signer.fingerprint: signer.certificate for signed in self.keysets() for signer in signed.signers
        }

        def signer(body: bytes, signature: bytes) -> str:
            try:
                return str(verify_detached(body, signature, certificates, self.judge, today(self.clock)))
            except KeysError as error:
                raise EventError(f"an event's signature is not good: {error}") from error

        return self.log.verify(signer)

    def keysets(self) -> Iterator[Keyset]:
        """Give every keyset that was verified here."""
        for folder in sorted(self.layout.keysets.iterdir()):
            if not folder.name.startswith("."):
                yield load(folder).keyset

    def keyset(self, keyset_hash: str) -> Keyset | None:
        """Give the verified keyset with this hash, if there is one."""
        folder = self.layout.keysets / keyset_hash
        return load(folder).keyset if folder.is_dir() else None

    def newest_keyset(self) -> Keyset:
        """Give the verified keyset with the highest serial."""
        return max(self.keysets(), key=lambda keyset: keyset.serial)

    def learn_keyset(self, signed: SignedKeyset) -> Keyset:
        """Take up the next keyset after checking that two signers of the one before made it.

        Raises:
            KeysError: It may not follow; nothing changed.
        """
        keyset = verify_change(self.newest_keyset(), signed, self.judge)
        store(signed, self.layout.keysets / keyset.hash)
        self.record(Kind.KEYSET, {"keyset": keyset.hash, "serial": keyset.serial})
        return keyset

    def close(self) -> None:
        """Close the log and let the agent forget every passphrase."""
        self.log.close()
        stop_agent(self.gpg)


@dataclass(frozen=True, slots=True)
class Founding:
    """What a new desk is made from; the reviewer's key lies already in the folder's GnuPG home."""

    reviewer: Fingerprint
    log: VerifierKey
    keyset: SignedKeyset
    roots: tuple[Fingerprint, ...]
    agent_asks: bool = False


def found_desk(root: Path, founding: Founding, passphrase: str, clock: Clock) -> Desk:
    """Make the desk in *root*, where only the GnuPG home lies so far.

    Raises:
        DeskError: The keyset is for another drop or does not seal to this reviewer.
        KeysError: The keyset is not what the typed fingerprints signed.
    """
    layout = Layout(root)
    private_folder(layout.judge)
    keyset = verify_first(founding.keyset, founding.roots, Gpg(layout.judge))
    if keyset.log is not None and keyset.log != str(founding.log):
        raise DeskError("the keyset was made for another drop")
    if founding.reviewer not in {key.fingerprint for key in keyset.recipients}:
        raise DeskError("the keyset does not seal to this reviewer")
    for folder in (layout.keysets, layout.incoming, layout.sealed, layout.promises, layout.outbox):
        private_folder(folder)
    store(founding.keyset, layout.keysets / keyset.hash)
    about = About(founding.reviewer, founding.log, keyset.hash, founding.agent_asks)
    log = CaseLog.create(layout.log, passphrase)
    desk = Desk(layout, about, log, clock, None if founding.agent_asks else passphrase)
    desk.record(Kind.KEYSET, {"keyset": keyset.hash, "serial": keyset.serial})
    # Last: a folder without this file is no desk yet, and is made anew.
    about.write(layout.about)
    return desk


def open_desk(root: Path, passphrase: Callable[[], str], clock: Clock) -> Desk:
    """Open the desk in *root*.

    Raises:
        DeskError: There is none, or the passphrase does not open it.
    """
    layout = Layout(root)
    about = About.read(layout.about)
    secret = passphrase()
    try:
        log = CaseLog.open(layout.log, secret)
    except CaseworkError as error:
        raise DeskError(str(error)) from error
    return Desk(layout, about, log, clock, None if about.agent_asks else secret)
