"""Take from this process what it does not need, before it meets a stranger's bytes.

The order matters: import everything and bind every socket; then `no_core_dumps`, `drop_to`,
`not_dumpable`, `landlock`, `forbid_ip_sockets`; only then start threads and serve. Each rule is
inherited by the programs started from here, except `not_dumpable`, which ends at the next exec.
Linux alone; whoever finds a rule missing decides whether to go on, and says so.
"""

import ctypes
import errno
import os
import platform
import pwd
import resource
import socket
import stat
import struct
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path
from types import MappingProxyType

from hardening.errors import HardeningError

SCRUBBING: Mapping[str, str] = MappingProxyType(
    {
        "MALLOC_PERTURB_": "165",
        # Also without the per-thread cache, which would keep small pieces as they are: answers, codenames.
        "GLIBC_TUNABLES": "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0",
        # Python's own arenas never reach malloc's free.
        "PYTHONMALLOC": "malloc",
        # A function that is looked up when it is first called has all registers saved on the stack first, and the wide
        # ones still hold the last 64 bytes that were copied.
        "LD_BIND_NOW": "1",
    }
)
"""The environment in which glibc overwrites freed memory and leaves none on a stack; read once, at a start (F10)."""

_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF = 444, 445, 446
_LANDLOCK_VERSION = 1
_LANDLOCK_PATH_BENEATH = 1
_SECCOMP_ALLOW = 0x7FFF0000
_SECCOMP_ERRNO = 0x00050000
_SECCOMP_NOT_EQUAL = 1

_libc = ctypes.CDLL(None, use_errno=True)


class ProcessError(HardeningError):
    """A rule could not be put on this process; those asked for before it hold."""


class _Access(IntFlag):
    """The Landlock rights of files, in the order of the kernel's header."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


_READ = _Access.READ_FILE | _Access.READ_DIR
_WRITE = (
    _READ
    | _Access.WRITE_FILE
    | _Access.TRUNCATE
    | _Access.MAKE_REG
    | _Access.MAKE_DIR
    | _Access.REMOVE_FILE
    | _Access.REMOVE_DIR
    | _Access.REFER
)
# What may be granted on something that is not a folder.
_ON_FILES = _Access.EXECUTE | _Access.WRITE_FILE | _Access.READ_FILE | _Access.TRUNCATE | _Access.IOCTL_DEV


@dataclass(frozen=True, slots=True)
class Reach:
    """The files and folders that stay within reach; each path must exist.

    Attributes:
        read: May be read.
        execute: May be read, and programs in it started.
        write: May be read, and files and folders in it made, changed, moved and removed; no sockets,
            pipes, devices or symbolic links.
    """

    read: tuple[Path, ...] = ()
    execute: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()


def runtime() -> Reach:
    """Name what Python and gpg themselves need to run on this machine, and nothing of ours."""
    programs = (Path("/usr"), Path("/bin"), Path("/lib"), Path("/lib64"), Path(sys.prefix), Path(sys.base_prefix))
    settings = ("/etc/ld.so.cache", "/etc/localtime", "/etc/passwd", "/etc/nsswitch.conf", "/dev/urandom")
    return Reach(
        read=tuple(path for path in map(Path, settings) if path.exists()),
        execute=tuple(path for path in programs if path.exists()),
        write=(Path("/dev/null"),),
    )


def swap_in_use(swaps: Path = Path("/proc/swaps")) -> bool:
    """Tell whether memory may be written to a disk, or compressed into a device that looks like one (F8)."""
    return len(swaps.read_text(encoding="utf-8").splitlines()) > 1


def no_core_dumps() -> None:
    """Let neither this process nor a program that it starts leave its memory behind when it crashes."""
    # core(5): a pattern that pipes to a program ignores the limit, so no memory is selected either.
    with suppress(FileNotFoundError):
        Path("/proc/self/coredump_filter").write_text("0", encoding="ascii")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def not_dumpable() -> None:
    """Refuse this process's memory to debuggers of the same user; ends at the next exec.

    Raises:
        ProcessError: The kernel refused.
    """
    _prctl(_PR_SET_DUMPABLE, 0)


def drop_to(user: str) -> None:
    """Become *user* with her groups and her alone, for good, and keep new files from others.

    Raises:
        ProcessError: No such user, this process is not root's, or a way back was left open.
    """
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise ProcessError("there is no such user on this machine") from None
    if account.pw_uid == 0:
        raise ProcessError("a process cannot be dropped to root")
    try:
        os.initgroups(user, account.pw_gid)
        os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
        os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    except PermissionError as error:
        raise ProcessError("only root can become another user") from error
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    os.umask(0o077)
    if os.getresuid() != (account.pw_uid,) * 3 or os.getresgid() != (account.pw_gid,) * 3:
        raise ProcessError("a user or group of before was left behind")


def landlock_version() -> int:
    """Tell which version of Landlock's interface this kernel has; 0 if none."""
    try:
        return _syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), _LANDLOCK_VERSION)
    except ProcessError:
        return 0


def landlock(*reach: Reach) -> int:
    """Put all files out of this process's reach but those named, and TCP where the kernel can.

    Only this thread and what it starts are bound: call it before there is another. From version 4 of
    the kernel's interface TCP is closed, from 6 other processes cannot be signalled nor reached by
    abstract sockets. Sockets that have a path in the file system can be connected to in all versions.

    Returns:
        The version of the interface, 0 if this kernel has none and nothing is held back.

    Raises:
        ProcessError: A path does not exist, or the kernel refused.
    """
    version = landlock_version()
    if version == 0:
        return 0
    handled = _handled(version)
    # struct landlock_ruleset_attr grew with the versions: files, then TCP, then scopes.
    attributes = struct.pack("=QQQ", handled, 0b11, 0b11)[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = _syscall(_LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    try:
        for part in reach:
            for paths, access in (
                (part.read, _READ),
                (part.execute, _READ | _Access.EXECUTE),
                (part.write, _WRITE),
            ):
                for path in paths:
                    _grant(ruleset, path, access & handled)
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        _syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return version


def forbid_ip_sockets() -> None:
    """Refuse every kind of socket but Unix sockets with EAFNOSUPPORT (N3), and io_uring, which could make one.

    A seccomp filter by libseccomp, which Debian's own package manager needs and every system so has.
    Only this thread and what it starts are bound: call it before there is another.

    Raises:
        ProcessError: libseccomp is missing, or the kernel refused.
    """
    try:
        library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    except OSError as error:
        raise ProcessError("libseccomp.so.2 is not installed") from error
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(_SECCOMP_ALLOW))
    if not context:
        raise ProcessError("seccomp gave no filter")
    try:
        not_unix = _Comparison(0, _SECCOMP_NOT_EQUAL, socket.AF_UNIX, 0)
        _filter(library, context, b"socket", errno.EAFNOSUPPORT, not_unix)
        for call in (b"io_uring_setup", b"io_uring_enter", b"io_uring_register"):
            _filter(library, context, call, errno.ENOSYS)
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        if library.seccomp_load(context) != 0:
            raise ProcessError("the kernel refused the seccomp filter")
    finally:
        library.seccomp_release(context)


class _Comparison(ctypes.Structure):
    """A condition on one argument of a system call: `struct scmp_arg_cmp`."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("value", ctypes.c_uint64),
        ("second_value", ctypes.c_uint64),
    )


def _filter(
    library: ctypes.CDLL, context: ctypes.c_void_p, call: bytes, error_number: int, *conditions: _Comparison
) -> None:
    number = library.seccomp_syscall_resolve_name(call)
    array = (_Comparison * len(conditions))(*conditions)
    action = ctypes.c_uint32(_SECCOMP_ERRNO | error_number)
    if library.seccomp_rule_add_array(context, action, number, len(conditions), array) != 0:
        raise ProcessError("seccomp did not take a rule")


def _handled(version: int) -> _Access:
    """Name the rights that the kernel can hold back; an older one refuses to hear of newer rights."""
    handled = _Access(0x1FFF)
    for since, access in ((2, _Access.REFER), (3, _Access.TRUNCATE), (5, _Access.IOCTL_DEV)):
        if version >= since:
            handled |= access
    return handled


def _grant(ruleset: int, path: Path, access: _Access) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        raise ProcessError("a path that should stay within reach cannot be opened") from error
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            access &= _ON_FILES
        rule = struct.pack("=Qi", access, descriptor)
        _syscall(_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_PATH_BENEATH, rule, 0)
    finally:
        os.close(descriptor)


def _prctl(option: int, value: int) -> None:
    unused = ctypes.c_ulong(0)
    if _libc.prctl(option, ctypes.c_ulong(value), unused, unused, unused) != 0:
        raise ProcessError(f"the kernel refused: {errno.errorcode.get(ctypes.get_errno())}")


def _syscall(number: int, *arguments: object) -> int:
    # Landlock came after the numbers of system calls were made the same on all of these.
    if platform.machine() not in {"x86_64", "aarch64", "riscv64", "ppc64le", "s390x", "loongarch64"}:
        raise ProcessError("system calls have other numbers on this machine")
    result = int(_libc.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        raise ProcessError(f"the kernel refused: {errno.errorcode.get(ctypes.get_errno())}")
    return result
