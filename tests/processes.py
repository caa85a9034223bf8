"""What other processes say of themselves; one that ends while it is asked says nothing."""

import psutil


def words_of(process: psutil.Process) -> list[str]:
    """The command line; empty for one that has ended."""
    try:
        return process.cmdline() if process.is_running() else []
    except psutil.NoSuchProcess:
        return []


def name_of(process: psutil.Process) -> str:
    """The name of its program, also while nobody has asked how it ended."""
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""
