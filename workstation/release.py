"""Let plaintext out into one folder: all of it or none, and nothing that a run cut off has left."""

import errno
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from hardening.files import destroy, sync_folder
from workstation.errors import ReleaseError

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder in memory; what is made in it is private and new


@contextmanager
def releasing(target: Path) -> Generator[Path]:
    """Lend a new private folder that becomes *target* when the block ends well, and is destroyed otherwise.

    Raises:
        FileExistsError: *target* is there; it was not touched.
    """
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "this is here already", str(target))
    partial = target.with_name(f".{target.name}.part")
    # What lies there is of a run that was cut off: nobody else gives such names.
    destroy(partial)
    partial.mkdir(mode=0o700)
    try:
        yield partial
        sync_folder(partial)
        partial.rename(target)
        sync_folder(target.parent)
    except BaseException:
        destroy(partial)
        raise


def folder_in_memory(desk: Path, memory: Path = _MEMORY) -> Path:
    """Name a new folder in memory for what is opened at this desk, so that it never reaches a disk.

    Raises:
        ReleaseError: This machine has none.
    """
    if not os.path.ismount(memory):
        raise ReleaseError(f"this machine has no {memory} in memory; name a folder with --to")
    return memory / f"{_prefix(desk)}{secrets.token_hex(8)}"


def sweep(desk: Path, memory: Path = _MEMORY) -> None:
    """Destroy what a command of this desk that was cut off has left in memory."""
    for leftover in memory.glob(f".{_prefix(desk)}*.part"):
        destroy(leftover)


def _prefix(desk: Path) -> str:
    return f"svidok-{sha256(os.fsencode(desk)).hexdigest()[:8]}-"
