"""Keep sealed parts as files, so that a submission's parts arrive whole or not at all.

Everything that touches a part's file is here, so that another kind of store can stand in for it.
"""

import errno
import os
import re
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from hardening.database_errors import FullError
from hardening.files import FROZEN_AT, destroy, freeze_times, private_folder, sync_folder
from vault.errors import NotFoundError, PartMismatchError

_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# New files and folders take the reading group from the folder they are made in (the setgid bit). The
# owner is not in that group, so its own chmod would clear the bit: only what `prepare` makes needs it.
_ROOT_MODE = 0o2750
_INCOMING_MODE = 0o2700
_SHELF_MODE = 0o750


class SealedPart(Protocol):
    """What the vault takes from a sealing; its plaintext's length and hash are not asked for, nor kept."""

    @property
    def part_id(self) -> str:
        """Name the part: 32 hexadecimal digits."""
        ...

    @property
    def kind(self) -> str:
        """Say what it is: a message, a file, a manifest, or a part of a report."""
        ...

    @property
    def sha256(self) -> str:
        """Return the ciphertext's hash."""
        ...

    @property
    def size_bytes(self) -> int:
        """Return the ciphertext's size."""
        ...


@dataclass(slots=True)
class Receiving:
    """A private folder, lent while a submission arrives.

    Attributes:
        submission_id: Random, and the folder's name.
        folder: Seal into it by `place`; it is gone when the block has ended, however it ended.
        parts: What was kept so far, by part id.
        progress: The source's sealed progress once this is kept, of `PROGRESS_BYTES`; None leaves it as it is.
    """

    submission_id: str
    folder: Path
    parts: dict[str, SealedPart] = field(default_factory=dict[str, SealedPart])
    progress: bytes | None = field(default=None, repr=False)

    def place(self, part_id: str) -> Path:
        """Say where the part with this id has to be sealed."""
        return self.folder / _file_name(part_id)

    def keep(self, sealed: SealedPart) -> None:
        """Take a part that lies whole and synced at its place.

        Raises:
            PartMismatchError: It is not there, has another size, or was kept already (T8).
        """
        if sealed.part_id in self.parts:
            raise PartMismatchError("a part is kept once")
        place = self.place(sealed.part_id)
        if not place.is_file() or place.is_symlink() or place.stat().st_size != sealed.size_bytes:
            raise PartMismatchError("a kept part lies at its place and has its size")
        self.parts[sealed.part_id] = sealed


class Shelves:
    """The folders ``incoming`` and ``objects`` of an inbox.

    Args:
        root: The inbox's folder; its group is the one that may read.
        part_mode: Of a stored part. With 0o040 the source process itself cannot read any more what it
            stored, and the group still can (F9); it needs a group of its own.
    """

    def __init__(self, root: Path, part_mode: int = 0o640) -> None:
        self._incoming = root / "incoming"
        self._objects = root / "objects"
        self._part_mode = part_mode

    def prepare(self) -> None:
        """Make the two folders; whoever makes the drop does it, and gives them to the source's user and the group."""
        private_folder(self._incoming, _INCOMING_MODE)
        private_folder(self._objects, _ROOT_MODE)

    @contextmanager
    def lend(self, submission_id: str) -> Generator[Receiving]:
        """Lend a folder and take it back empty or not; what is still in it then is destroyed.

        Raises:
            FullError: There was no room, in this block or in what the caller did in it.
        """
        folder = self._incoming / submission_id
        try:
            with naming_full():
                folder.mkdir(mode=0o700)
                yield Receiving(submission_id, folder)
        finally:
            if folder.exists():
                destroy(folder)
            _freeze_folder(self._incoming)

    def shelve(self, receiving: Receiving) -> None:
        """Move the parts to where readers find them, durably; nothing says yet that they are there.

        Raises:
            PartMismatchError: There are files that nobody kept.
        """
        kept = {_file_name(part_id) for part_id in receiving.parts}
        if {path.name for path in receiving.folder.iterdir()} != kept:
            raise PartMismatchError("a lent folder holds the kept parts and nothing else")
        for name in kept:
            (receiving.folder / name).chmod(self._part_mode)
        receiving.folder.chmod(_SHELF_MODE)
        freeze_times(receiving.folder)
        sync_folder(receiving.folder)
        place = self._place(receiving.submission_id)
        if not place.parent.exists():
            private_folder(place.parent, _SHELF_MODE)
            sync_folder(self._objects)
        receiving.folder.rename(place)
        sync_folder(place.parent)
        sync_folder(self._incoming)
        for folder in (place, place.parent, self._objects, self._incoming):
            _freeze_folder(folder)

    def unshelve(self, submission_id: str) -> None:
        """Destroy a submission's parts."""
        place = self._place(submission_id)
        if place.parent.is_dir():
            destroy(place)
            _freeze_folder(place.parent)

    def open(self, submission_id: str, part_id: str) -> BinaryIO:
        """Open a part; it can be read to its end even if it is destroyed meanwhile (J11).

        Raises:
            NotFoundError: It is gone.
        """
        try:
            descriptor = os.open(
                self._place(submission_id) / _file_name(part_id), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            )
        except FileNotFoundError as error:
            raise NotFoundError("the part is gone") from error
        return os.fdopen(descriptor, "rb")

    def sweep_incoming(self) -> int:
        """Destroy what arrived only in part; say how many submissions that were."""
        return self._sweep(self._incoming.iterdir())

    def sweep_unknown(self, known: Mapping[str, Mapping[str, int]]) -> int:
        """Destroy stored folders and files that no row speaks of.

        Args:
            known: Every submission, and in it every part with its size.
        """
        strays: list[Path] = []
        for shelf in self._objects.iterdir():
            for folder in shelf.iterdir() if shelf.is_dir() and not shelf.is_symlink() else ():
                if folder != self._place(folder.name) or folder.is_symlink() or folder.name not in known:
                    strays.append(folder)
                    continue
                names = {_file_name(part_id) for part_id in known[folder.name]}
                strays += [path for path in folder.iterdir() if path.name not in names]
        return self._sweep(strays)

    def missing(self, known: Mapping[str, Mapping[str, int]]) -> int:
        """Count the parts that have a row but no file of their size."""
        return sum(
            not self._is_whole(submission_id, part_id, size)
            for submission_id, parts in known.items()
            for part_id, size in parts.items()
        )

    def empty(self) -> bool:
        """Say whether nothing was ever stored here."""
        return not self._objects.is_dir() or not any(self._objects.iterdir())

    def _is_whole(self, submission_id: str, part_id: str, size: int) -> bool:
        path = self._place(submission_id) / _file_name(part_id)
        return path.is_file() and not path.is_symlink() and path.lstat().st_size == size

    def _sweep(self, strays: Iterable[Path]) -> int:
        count = 0
        for stray in list(strays):
            destroy(stray)
            _freeze_folder(stray.parent)
            count += 1
        return count

    def _place(self, submission_id: str) -> Path:
        return self._objects / submission_id[:2] / submission_id


@contextmanager
def naming_full() -> Generator[None]:
    """Turn a full disk, in whatever words it is told, into `FullError`."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise FullError("there is no room for this submission") from error
        raise


def _file_name(part_id: str) -> str:
    if not _ID.fullmatch(part_id):
        raise PartMismatchError("a part id has 32 lower-case hexadecimal digits")
    return f"{part_id}.gpg"


def _freeze_folder(folder: Path) -> None:
    """Take the moment of its last change from a folder, not from what lies in it."""
    os.utime(folder, (FROZEN_AT.timestamp(), FROZEN_AT.timestamp()))
