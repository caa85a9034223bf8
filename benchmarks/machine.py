"""Say what machine it was, and how much of it others used meanwhile: milliseconds mean nothing without that."""

import os
import platform
import resource
import time
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
# Of the eight times of a core that proc(5) lists up to what the host took, two are spent waiting.
_IDLE = (3, 4)
_COUNTED = 8


class Watch:
    """Runs from its making until `told`."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._busy = _busy_seconds() - _our_seconds()

    def told(self) -> str:
        """Tell kernel, processor and cores, and how many of the cores were somebody else's since the beginning."""
        others = (_busy_seconds() - _our_seconds() - self._busy) / (time.monotonic() - self._since)
        return (
            f"{platform.system()} {platform.release()}, {_processor()}, {os.cpu_count()} cores, "
            f"of which others used {max(others, 0.0):.1f} meanwhile"
        )


def _busy_seconds() -> float:
    """All cores together; what a host took from us counts as used by others."""
    fields = Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1 : 1 + _COUNTED]
    return sum(int(field) for place, field in enumerate(fields) if place not in _IDLE) / _TICKS


def _our_seconds() -> float:
    """This process, and what it has started and seen end."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
