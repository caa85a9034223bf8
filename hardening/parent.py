"""Let no process of a drop outlive the one that started it."""

import ctypes
import os
import signal

from hardening.process import ProcessError

_PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent(parent: int) -> None:
    """Have the kernel send SIGTERM to this process when *parent* ends, however it ends.

    Call it after the change of user: the kernel forgets the wish when a process gets other rights.

    Args:
        parent: The process id of whoever started this one.

    Raises:
        ProcessError: The parent has ended already, or the kernel refused.
    """
    unused = ctypes.c_ulong(0)
    if _libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM), unused, unused, unused) != 0:
        raise ProcessError("the kernel does not tell of the parent's end")
    # The parent may have ended before the kernel knew of the wish; then nothing would ever come.
    if os.getppid() != parent:
        raise ProcessError("the process that started this one has ended")
