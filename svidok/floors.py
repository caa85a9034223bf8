"""Refuse to run on parts with known holes: the version floors of the security catalogue (S4, M1)."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from svidok.errors import CommandError

# Each floor is the first release without a hole that matters to us; docs/adr/0002 says which.
FLOORS = {
    "python-multipart": "0.0.34",
    "starlette": "1.3.1",
    "jinja2": "3.1.6",
    "h11": "0.16.0",
    "uvicorn": "0.11.7",
}

# Debian mends GnuPG without changing its own number, so its package's version is what counts there.
GNUPG_FLOORS = {"2.2": "2.2.40-1.1+deb12u2", "2.4": "2.4.7-21"}
_GNUPG_UPSTREAM_FLOOR = "2.4.9"


@dataclass(frozen=True, slots=True)
class Installed:
    """How to learn what is on this machine.

    Attributes:
        version: Of a Python distribution; raises PackageNotFoundError.
        output: Of a program; empty if there is none.
        succeeds: Whether a program ends with 0.
    """

    version: Callable[[str], str]
    output: Callable[..., str]
    succeeds: Callable[..., bool]


def on_this_machine() -> Installed:
    """Ask the interpreter and the programs themselves."""
    return Installed(version, _output, _succeeds)


def check_floors(installed: Installed) -> None:
    """Return only if every part is at its floor or above.

    Raises:
        CommandError: A part is missing or older; the message names it.
    """
    for name, floor in FLOORS.items():
        try:
            found = installed.version(name)
        except PackageNotFoundError as error:
            raise CommandError(f"{name} is not installed") from error
        if _numbers(found) < _numbers(floor):
            raise CommandError(f"{name} {found} has known holes; {floor} or newer is needed")
    _check_gnupg(installed)


def _check_gnupg(installed: Installed) -> None:
    upstream = re.search(r"^gpg \(GnuPG\) (\S+)", installed.output("gpg", "--version"), re.MULTILINE)
    if upstream is None:
        raise CommandError("gpg is missing: install the package gnupg")
    if _numbers(upstream[1]) >= _numbers(_GNUPG_UPSTREAM_FLOOR):
        return
    package = installed.output("dpkg-query", "-W", "-f", "${Version}", "gpg")
    floor = GNUPG_FLOORS.get(".".join(upstream[1].split(".")[:2]))
    # dpkg itself compares Debian's versions; its answer is its exit code.
    if not package or floor is None or not installed.succeeds("dpkg", "--compare-versions", package, "ge", floor):
        raise CommandError(f"gpg {package or upstream[1]} has known holes; install the security updates")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, check=False, capture_output=True, text=True).stdout
    except FileNotFoundError:
        return ""


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
