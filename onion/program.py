"""Ask the tor program on this machine what it is, and refuse one that is too old or lacks a part."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from onion.errors import ConfigurationError, TorMissingError, TorModuleError, TorTooOldError

# The floor moves with tor's security releases (M1); docs say where to get this one.
VERSION_FLOOR = (0, 4, 9, 11)
_VERSION = re.compile(r"^Tor version (\d+)\.(\d+)\.(\d+)\.(\d+)", re.ASCII | re.MULTILINE)
_LIMIT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class TorProgram:
    """The tor program, by name or path."""

    path: str = "tor"

    def version(self) -> tuple[int, ...]:
        """Ask for the version.

        Raises:
            TorMissingError: There is no such program, or it is not tor.
        """
        found = _VERSION.search(self._ask("--version").stdout)
        if found is None:
            raise TorMissingError("the tor program does not say its version")
        return tuple(int(number) for number in found.groups())

    def modules(self) -> dict[str, bool]:
        """Ask which optional modules were built in."""
        lines = (line.partition(":") for line in self._ask("--list-modules").stdout.splitlines())
        return {name.strip(): answer.strip() == "yes" for name, _, answer in lines}

    def require(self) -> None:
        """Return only if this tor may carry a drop.

        Raises:
            TorTooOldError: It is older than `VERSION_FLOOR`.
            TorModuleError: It was built without proof of work.
        """
        version = self.version()
        if version < VERSION_FLOOR:
            raise TorTooOldError(
                f"tor is version {_dotted(version)}, and {_dotted(VERSION_FLOOR)} is the oldest allowed"
            )
        if not self.modules().get("pow", False):
            raise TorModuleError("this tor was built without proof of work, the defence against floods")

    def verify(self, torrc: Path) -> None:
        """Let tor itself read a configuration, without starting.

        Raises:
            ConfigurationError: Tor refuses it.
        """
        outcome = self._ask("--verify-config", "-f", str(torrc), "--defaults-torrc", "/dev/null", "--hush")
        if outcome.returncode != 0:
            raise ConfigurationError("tor refuses its configuration")

    def _ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [self.path, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                text=True,
                errors="replace",
                timeout=_LIMIT_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise TorMissingError("the tor program cannot be run") from error


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in version)
