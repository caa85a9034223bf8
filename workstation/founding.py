"""Make a reviewer's desk: her key, the pinned drop and its keysets, an empty case log; all of it or nothing."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from stat import S_IMODE
from typing import BinaryIO

from casework.errors import CaseworkError
from casework.log import CaseLog
from hardening.clock import Clock, today
from hardening.files import destroy, private_folder, write_whole
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, stop_agent
from keys.keyset_store import store
from keys.keyset_trust import SignedKeyset, refuse_future, verify_change, verify_first
from keys.signing import sign_detached
from ledger.note import VerifierKey
from workstation.about import About, Layout
from workstation.adoption import adopt
from workstation.desk import Desk, locked, refuse_long_path
from workstation.errors import DeskError


@dataclass(frozen=True, slots=True)
class Founding:
    """What a new desk is made from.

    Attributes:
        keysets: The drop's first, then each later one in order.
        roots: Fingerprints of signers of the first, as typed.
        adopted_from: The GnuPG home that holds the reviewer's key; None if it lies in the desk's own already.
    """

    reviewer: Fingerprint
    log: VerifierKey
    keysets: tuple[SignedKeyset, ...]
    roots: tuple[Fingerprint, ...]
    agent_asks: bool = False
    adopted_from: Path | None = None


def found_desk(root: Path, founding: Founding, passphrase: str, clock: Clock) -> Desk:
    """Make the desk in *root*, where at most the GnuPG home lies so far, or what a crash left of making it.

    A failure leaves what was there and nothing else; no copy of a secret key stays where no desk was made.

    Raises:
        DeskError: There is one already, or the keyset is for another drop or does not seal to this reviewer.
        AdoptionError: The GnuPG home to adopt from does not hold her key.
        KeysError: The keyset is not what the typed fingerprints signed, or her key does not sign.
    """
    layout = Layout(root)
    if layout.about.exists():
        raise DeskError("a desk is here already; nothing was touched")
    refuse_long_path(root)
    with _new_folder(root), _new_lock(layout) as lock, _undone_if_it_fails(layout):
        gnupg = private_folder(layout.gnupg)
        if founding.adopted_from is not None:
            adopt(founding.adopted_from, founding.reviewer, gnupg)
        _verify(founding, Gpg(private_folder(layout.judge)), today(clock))
        for folder in (layout.keysets, layout.incoming, layout.sealed, layout.promises, layout.outbox):
            private_folder(folder)
        about = About(founding.reviewer, founding.log, founding.keysets[0].keyset.hash, founding.agent_asks)
        secret = None if founding.agent_asks else passphrase
        # A mistyped passphrase must show before a log is made with it.
        sign_detached(b"", Gpg(gnupg, agent=True), founding.reviewer, today(clock), secret)
        desk = Desk(layout, about, _log_of(layout, passphrase), clock, secret, lock)
        _furnish(desk, founding)
    return desk


@contextmanager
def _new_folder(root: Path) -> Generator[None]:
    """Make *root* if it is missing, and take it away again if it was and the block fails."""
    missing = not root.exists()
    private_folder(root)
    try:
        yield
    except BaseException:
        # Only if it is empty: another command may have begun here meanwhile.
        with suppress(OSError):
            if missing:
                root.rmdir()
        raise


@contextmanager
def _new_lock(layout: Layout) -> Generator[BinaryIO]:
    """Lend the lock; if the block fails, its file goes, too, unless it was there."""
    missing = not layout.lock.exists()
    with locked(layout) as lock:
        try:
            yield lock
        except BaseException:
            if missing:
                destroy(layout.lock)
            raise


@contextmanager
def _undone_if_it_fails(layout: Layout) -> Generator[None]:
    """Leave the folder as it was if the block fails; whoever asks holds the lock, so what is new of a desk is hers."""
    before = frozenset(_of_a_desk(layout))
    # gpg changes the files of its home in place. They are small, and its secret keys are under their passphrases.
    kept = {path: path.read_bytes() for path in layout.gnupg.rglob("*") if path.is_file()}
    try:
        yield
    except BaseException:
        stop_agent(Gpg(layout.gnupg, agent=True))
        # What lies in a folder comes before the folder.
        for path in sorted(frozenset(_of_a_desk(layout)) - before, reverse=True):
            destroy(path)
        for path, content in kept.items():
            if not path.exists() or path.read_bytes() != content:
                write_whole(path, content, S_IMODE(path.stat().st_mode) if path.exists() else 0o600)
        raise


def _of_a_desk(layout: Layout) -> Iterator[Path]:
    """Give what lies there under the names of a desk; whatever else is in the folder is none of ours."""
    folders = (layout.gnupg, layout.judge, layout.keysets, layout.incoming, layout.sealed, layout.promises)
    for folder in (*folders, layout.outbox):
        if folder.exists():
            yield folder
            yield from folder.rglob("*")
    yield from layout.root.glob(f"{layout.log.name}*")
    yield from layout.root.glob(layout.about.name)


def _verify(founding: Founding, judge: Gpg, day: date) -> None:
    if not founding.keysets:
        raise DeskError("a desk is made from the drop's first keyset")
    newest = verify_first(founding.keysets[0], founding.roots, judge)
    for signed in founding.keysets[1:]:
        newest = verify_change(newest, signed, judge)
    refuse_future(newest, day)
    if newest.log is not None and newest.log != str(founding.log):
        raise DeskError("the keyset was made for another drop")
    if founding.reviewer not in {key.fingerprint for key in newest.recipients}:
        raise DeskError("the keyset does not seal to this reviewer")


def _furnish(desk: Desk, founding: Founding) -> None:
    try:
        store(founding.keysets[0], desk.layout.keysets / desk.about.keyset)
        for signed in founding.keysets:
            desk.learn_keyset(signed)
        # Last: a folder without this file is no desk yet, and is made to its end by the same command.
        desk.about.write(desk.layout.about)
    except BaseException:
        desk.log.close()
        raise


def _log_of(layout: Layout, passphrase: str) -> CaseLog:
    """Make the log, or take up the one that lies here: whatever it holds, it is never thrown away."""
    try:
        return CaseLog.open(layout.log, passphrase) if layout.log.exists() else CaseLog.create(layout.log, passphrase)
    except CaseworkError as error:
        raise DeskError(str(error)) from error
