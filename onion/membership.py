"""Let further tors on this machine join a private network that another process runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from hardening.canonical import JsonError, Writable, canonical_json, strict_json
from hardening.files import private_folder, write_whole
from onion.daemon import Daemon, Running
from onion.errors import NetworkError
from onion.program import TorProgram
from onion.torrc import Option, Place, Torrc

LARGEST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Membership:
    """All that a tor needs to live in a private network; nothing of it is secret."""

    lines: tuple[Option, ...]
    files: Mapping[str, str]
    program: TorProgram = field(default_factory=TorProgram)

    def torrc_lines(self) -> tuple[Option, ...]:
        """Write the lines that make a tor live in this network and in no other."""
        return self.lines

    def seed(self, place: Place) -> None:
        """Put the directory where the tor at *place* finds it; the folder above must exist."""
        private_folder(place.folder)
        private_folder(place.data)
        for name, content in self.files.items():
            write_whole(place.data / name, content.encode("ascii"))

    def run(self, torrc: Torrc, place: Place) -> Running:
        """Start a tor in this network; the caller stops it.

        Raises:
            OnionError: As `Daemon.start` does.
        """
        self.seed(place)
        return Daemon(torrc, place, self.program).start()

    def write(self, path: Path) -> None:
        """Leave the membership at *path* for whoever may read it."""
        told: Writable = {"v": 1, "lines": [[one.name, one.value] for one in self.lines], "files": dict(self.files)}
        write_whole(path, canonical_json(told), mode=0o644)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Take up the membership at *path*, which a process of this machine's operator wrote.

        Raises:
            NetworkError: There is none, or it is not what `write` leaves.
        """
        try:
            with path.open("rb") as file:
                told = strict_json(file.read(LARGEST_BYTES + 1), LARGEST_BYTES)
        except (OSError, JsonError) as error:
            raise NetworkError("there is no private network to join") from error
        match told:
            case {"v": 1, "lines": list(lines), "files": dict(files)}:
                return cls(tuple(_option(line) for line in lines), {name: str(text) for name, text in files.items()})
            case _:
                raise NetworkError("the description of the private network is of another version")


def _option(line: object) -> Option:
    match line:
        case [str(name), str(value)]:
            return Option(name, value)
        case _:
            raise NetworkError("a line in the description of the private network is malformed")
