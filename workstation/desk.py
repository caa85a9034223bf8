"""A reviewer's desk: her key, the pinned drop and its keysets, the open case log; one command at a time."""

import fcntl
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from casework.errors import CaseworkError, EventError
from casework.events import Event, Kind
from casework.log import CaseLog, SignedEvent, Verified
from casework.views import Cases, fold
from hardening.canonical import JSON
from hardening.clock import Clock, today
from hardening.files import destroy
from keys.errors import SignatureError
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, stop_agent
from keys.keyset import Keyset
from keys.keyset_store import load, store
from keys.keyset_trust import SignedKeyset, refuse_future, verify_change
from keys.signing import sign_detached, verify_detached
from workstation.about import About, Layout
from workstation.errors import DeskError

# What gpg-agent allows itself of the 108 bytes of unix(7). The longest of its sockets stands in its home.
_LONGEST_SOCKET_BYTES = 106
_LONGEST_SOCKET = "S.gpg-agent.browser"


@dataclass(frozen=True, slots=True)
class Desk:
    """An open desk; `close` it. Everything that happens at it is one event of the case log."""

    layout: Layout
    about: About
    log: CaseLog
    clock: Clock
    passphrase: str | None
    lock: BinaryIO

    @property
    def gpg(self) -> Gpg:
        """The gpg that holds the reviewer's key."""
        return Gpg(self.layout.gnupg, agent=True)

    @property
    def judge(self) -> Gpg:
        """A gpg that holds nothing."""
        return Gpg(self.layout.judge)

    def cases(self) -> Cases:
        """Fold the case log into what is known.

        Raises:
            CaseworkError: It is damaged.
        """
        return fold(signed.event for signed in self.log.events())

    def record(self, kind: Kind, body: dict[str, JSON]) -> Event:
        """Sign and keep one event.

        Raises:
            KeysError: Her key did not sign.
            CaseworkError: It cannot be written.
        """
        return self.log.append(str(self.about.reviewer), self.sign, today(self.clock), (kind, body))

    def record_all(self, what: Sequence[tuple[Kind, dict[str, JSON]]]) -> None:
        """Sign and keep several events, all of them or none; errors as above."""
        with self.log.appending(str(self.about.reviewer), self.sign) as end:
            for each in what:
                end.append(today(self.clock), each)

    def sign(self, payload: bytes | Path) -> bytes:
        """Make the reviewer's detached signature."""
        return sign_detached(payload, self.gpg, self.about.reviewer, today(self.clock), self.passphrase)

    def verify_log(self) -> Verified:
        """Check every chain and signature of the case log.

        Raises:
            EventError: One is out of its place, changed, or not signed by its reviewer.
        """
        newest_first = sorted(self.keysets(), key=lambda keyset: -keyset.serial)

        def check(signed: SignedEvent) -> None:
            event = signed.event
            for certificate in _certificates(newest_first, Fingerprint(event.reviewer)):
                allowed = {Fingerprint(event.reviewer): certificate}
                try:
                    # A key that has ended since then was good on that day.
                    verify_detached(signed.body, signed.signature, allowed, self.judge, event.day)
                except SignatureError:
                    continue
                return
            raise EventError(f"event {event.index} of {event.reviewer} is not signed by her")

        return self.log.verify(check)

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
        """Take up the next keyset after checking that two signers of the one before made it; again is fine.

        Raises:
            KeysError: It may not follow; nothing changed.
        """
        keyset = signed.keyset
        if self.keyset(keyset.hash) is None:
            refuse_future(keyset, today(self.clock))
            verify_change(self.newest_keyset(), signed, self.judge)
            store(signed, self.layout.keysets / keyset.hash)
        # After the files, so that a crash between the two is made good by the same command.
        if keyset.hash not in self.cases().keysets:
            self.record(Kind.KEYSET, {"keyset": keyset.hash, "serial": keyset.serial})
        return keyset

    def close(self) -> None:
        """Close the log, let the agent forget every passphrase, and let the next command in."""
        self.log.close()
        stop_agent(self.gpg)
        self.lock.close()


def open_desk(root: Path, passphrase: Callable[[], str], clock: Clock) -> Desk:
    """Open the desk in *root*.

    Raises:
        DeskError: There is none, another command is at work at it, or the passphrase does not open it.
    """
    layout = Layout(root)
    about = About.read(layout.about)
    with locked(layout) as lock:
        secret = passphrase()
        try:
            log = CaseLog.open(layout.log, secret)
        except CaseworkError as error:
            raise DeskError(str(error)) from error
        _sweep(layout)
        return Desk(layout, about, log, clock, None if about.agent_asks else secret, lock)


def refuse_long_path(root: Path) -> None:
    """Refuse a folder in which gpg's agent could not be reached.

    Raises:
        DeskError: The path is too long.
    """
    longest = _LONGEST_SOCKET_BYTES - len(f"/gnupg/{_LONGEST_SOCKET}")
    if len(os.fsencode(root)) > longest:
        raise DeskError(
            f"gpg's agent cannot be reached in a path this long: take a folder with at most {longest} bytes"
        )


def _sweep(layout: Layout) -> None:
    """Remove the files that a command was writing when it was cut off; they never had their names."""
    for folder in (layout.root, layout.promises, layout.outbox):
        for leftover in folder.glob(".*.part"):
            destroy(leftover)


@contextmanager
def locked(layout: Layout) -> Generator[BinaryIO]:
    """Keep other commands away until the file that is lent is closed; a failure in the block closes it.

    Two at once would sweep away each other's half-made files, and the first to end would stop the other's agent.
    """
    lock = layout.lock.open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield lock
    except BlockingIOError as error:
        lock.close()
        raise DeskError("another command is at work in this folder; let it end first") from error
    except BaseException:
        lock.close()
        raise


def _certificates(keysets: list[Keyset], reviewer: Fingerprint) -> Iterator[bytes]:
    """Give each certificate under which the reviewer may have signed; her key may have been renewed in between."""
    given: set[bytes] = set()
    for keyset in keysets:
        # A signer's certificate has the subkey that signs; a recipient's would do for a primary key that signs itself.
        found = [key.certificate for key in keyset.signers if key.fingerprint == reviewer]
        found += [key.certificate for key in keyset.recipients if key.fingerprint == reviewer]
        yield from (certificate for certificate in found if certificate not in given)
        given.update(found)
