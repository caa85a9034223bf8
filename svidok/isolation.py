"""Give each process of a drop its own system user, so that one that is broken into reads only its own store."""

import grp
import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from svidok.errors import CommandError

SOURCE = "svidok-source"
REVIEWER = "svidok-reviewer"
KEEPER = "svidok-keeper"
USERS = (SOURCE, REVIEWER, KEEPER)

# Each group lets its members read one store of somebody else; `svidok` lets all three reach the sockets' folder.
GROUPS = {
    "svidok": (SOURCE, REVIEWER, KEEPER),
    "svidok-inbox": (REVIEWER, KEEPER),
    "svidok-outbox": (SOURCE, KEEPER),
}


@dataclass(frozen=True, slots=True)
class Isolation:
    """Whether processes are kept apart by system users, and if not, why not."""

    missing: str | None

    def user(self, name: str) -> str | None:
        """The system user that the process *name* runs as; None is whoever started us."""
        return None if self.missing else name

    def give(self, path: Path, owner: str, group: str, mode: int) -> None:
        """Make *path* belong to *owner* and *group* with *mode*; without isolation only the owner's bits are set."""
        if self.missing:
            path.chmod(mode & 0o700)
            return
        os.chown(path, _uid(owner), _gid(group), follow_symlinks=False)
        path.chmod(mode)

    def has(self, path: Path, owner: str, group: str, mode: int) -> bool:
        """Tell whether *path* still is as `give` left it."""
        found = path.lstat()
        if self.missing:
            return stat.S_IMODE(found.st_mode) == mode & 0o700
        owners = (_uid(owner), _gid(group))
        return (found.st_uid, found.st_gid) == owners and stat.S_IMODE(found.st_mode) == mode

    def say_what_is_missing(self) -> None:
        """Tell the administrator on standard output, if there is something to tell."""
        if self.missing:
            print(f"note: {self.missing}; Landlock alone keeps them apart", flush=True)


def find(root: Path) -> Isolation:
    """Say whether the processes of the drop at *root* can run as users of their own."""
    if os.geteuid() != 0:
        return Isolation("not started as root: all processes run as one user")
    closed = _closed_to_others(root)
    if closed is not None:
        return Isolation(f"other users cannot reach {closed}: all processes run as root")
    return Isolation(None)


def create_users() -> None:
    """Make the system users and groups that are missing.

    Raises:
        CommandError: The system's own tools refused.
    """
    for group in GROUPS:
        if not _exists(grp.getgrnam, group):
            _run("groupadd", "--system", group)
    for user in USERS:
        if not _exists(pwd.getpwnam, user):
            _run("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
                 "--shell", "/usr/sbin/nologin", user)  # fmt: skip
    for group, members in GROUPS.items():
        present = grp.getgrnam(group).gr_mem
        for member in members:
            if member not in present:
                _run("usermod", "--append", "--groups", group, member)


def _closed_to_others(root: Path) -> Path | None:
    """Find what keeps other users from reaching the drop, this program or its Python: a folder that is closed."""
    for path in (root.parent, Path(__file__).parent, Path(sys.prefix), Path(sys.base_prefix)):
        found = path.resolve()
        for folder in reversed((found, *found.parents)):
            if folder.exists() and not folder.stat().st_mode & 0o001:
                return folder
    return None


def _exists(look_up: Callable[[str], object], name: str) -> bool:
    try:
        look_up(name)
    except KeyError:
        return False
    return True


def _run(*command: str) -> None:
    program = shutil.which(command[0], path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is None:
        raise CommandError(f"{command[0]} is missing: install the package passwd")
    done = subprocess.run([program, *command[1:]], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise CommandError(f"{command[0]} failed: {done.stderr.strip()}")


def _uid(name: str) -> int:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError as error:
        raise CommandError(f"the system user {name} is missing: svidok init, as root, makes it") from error


def _gid(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise CommandError(f"the system group {name} is missing: svidok init, as root, makes it") from error
