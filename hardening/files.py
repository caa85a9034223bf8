"""Write, keep and destroy files so that they are private, whole, and without a story in their times."""

import os
import secrets
import shutil
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hardening.errors import HardeningError

# Every stored file says this moment, so that file times tell nothing about a source (K2).
FROZEN_AT = datetime(2025, 1, 1, tzinfo=UTC)
_FROZEN_NS = int(FROZEN_AT.timestamp()) * 1_000_000_000


class FilesError(HardeningError):
    """A path is not what it has to be."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a file system has left for us, without what is reserved for root."""

    free_bytes: int
    free_fraction: float


def private_folder(path: Path, mode: int = 0o700) -> Path:
    """Make *path* a folder with exactly *mode*, whatever the umask says; its parent must exist.

    A folder that is there already is kept with what lies in it and gets *mode*.

    Raises:
        FilesError: *path* is a symbolic link or not a folder, or somebody else owns it.
    """
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise FilesError("a private folder must be a folder, not a link or a file")
    if found.st_uid != os.geteuid() and os.geteuid() != 0:
        raise FilesError("a private folder must belong to the user who asks for it")
    if stat.S_IMODE(found.st_mode) != mode:
        with _opened(path, os.O_RDONLY | os.O_DIRECTORY) as folder:
            os.fchmod(folder, mode)
    return path


def write_whole(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put *content* at *path*, so that a crash leaves the old file or the new one, never half of one.

    A failure leaves what was there and nothing else; a power cut may leave a file whose name
    starts with a full stop and ends in `.part`.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with _opened(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
            os.fchmod(descriptor, mode)
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.write(content)
            os.fsync(descriptor)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Return when the content of the file at *path* would outlive a power cut."""
    with _opened(path, os.O_RDONLY) as descriptor:
        os.fsync(descriptor)


def sync_folder(path: Path) -> None:
    """Return when the names in the folder at *path* would outlive a power cut."""
    with _opened(path, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
        os.fsync(descriptor)


def freeze_times(path: Path) -> None:
    """Set the access and change times of *path*, and of all that lies in it, to `FROZEN_AT`."""
    if not path.is_symlink():
        # From the bottom up: reading a folder moves its access time.
        for here, folders, names in os.walk(path, topdown=False):
            for name in (*folders, *names):
                _freeze(Path(here, name))
    _freeze(path)


def destroy(path: Path) -> None:
    """Remove the file, link or folder at *path* with all that lies in it; links are never followed.

    What is gone already is fine. The blocks are freed, not overwritten: on today's disks only a
    lost key makes their content unreadable, and everything stored is sealed for that reason.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    sync_folder(path.parent)


def room_left(path: Path) -> Room:
    """Measure the room on the file system that holds *path*."""
    found = os.statvfs(path)
    return Room(found.f_bavail * found.f_frsize, found.f_bavail / max(found.f_blocks, 1))


@contextmanager
def _opened(path: Path, flags: int) -> Generator[int]:
    """Lend a descriptor of *path* itself, never of what a link points to."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _freeze(path: Path) -> None:
    os.utime(path, ns=(_FROZEN_NS, _FROZEN_NS), follow_symlinks=False)
