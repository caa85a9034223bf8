"""Look at the machine that a drop stands on: its programs, its kernel, its memory."""

from hardening.process import landlock_version
from onion.program import TorProgram
from svidok.checkup.finding import Complaints, Examined, Level
from svidok.errors import CommandError
from svidok.floors import check_floors, on_this_machine
from svidok.safety import refuse_swap


def versions(_drop: Examined) -> Complaints:
    """Whether gpg and the libraries are at their floors or above."""
    check_floors(on_this_machine())
    yield from ()


def tor(_drop: Examined) -> Complaints:
    """Whether tor is."""
    TorProgram().require()
    yield from ()


def swap(drop: Examined) -> Complaints:
    """Whether what sources write can reach the disk."""
    try:
        refuse_swap()
    except CommandError as error:
        yield Level.SOON if drop.identity.evaluation else Level.WRONG, str(error)


def landlock(_drop: Examined) -> Complaints:
    """Whether the kernel keeps a process that is broken into from other files."""
    if landlock_version() == 0:
        yield Level.SOON, "this kernel has no Landlock: only users' rights keep processes from each other's files"
