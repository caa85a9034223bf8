"""What lies in the workstation's folder, and whose it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from hardening.canonical import JsonError, Writable, canonical_json, strict_json
from hardening.files import write_whole
from keys.errors import KeysError
from keys.fingerprint import Fingerprint
from ledger.errors import LedgerError
from ledger.note import VerifierKey
from workstation.errors import DeskError

_LARGEST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything lies in the workstation's folder."""

    root: Path

    @property
    def about(self) -> Path:
        """Whose desk this is and which drop it serves."""
        return self.root / "workstation.json"

    @property
    def lock(self) -> Path:
        """Held by the one command that is at work here."""
        return self.root / "lock"

    @property
    def gnupg(self) -> Path:
        """The reviewer's GnuPG home."""
        return self.root / "gnupg"

    @property
    def judge(self) -> Path:
        """A GnuPG home without keys, for judging what others made."""
        return self.root / "judge"

    @property
    def keysets(self) -> Path:
        """Every keyset that was verified here, by hash."""
        return self.root / "keysets"

    @property
    def forms(self) -> Path:
        """Every form that was taken up here, by hash."""
        return self.root / "forms"

    @property
    def log(self) -> Path:
        """The case log."""
        return self.root / "casework.db"

    @property
    def incoming(self) -> Path:
        """Where bags are unpacked."""
        return self.root / "incoming"

    @property
    def sealed(self) -> Path:
        """The sealed originals, a folder for each submission."""
        return self.root / "sealed"

    @property
    def promises(self) -> Path:
        """The log's promises that held, by leaf hash."""
        return self.root / "promises"

    @property
    def outbox(self) -> Path:
        """Return bags, ready for the medium."""
        return self.root / "outbox"


@dataclass(frozen=True, slots=True)
class About:
    """Whose desk this is and which drop it serves; pinned when the desk was made.

    Attributes:
        keyset: The hash of the drop's first keyset.
        agent_asks: Her key asks for itself (a smartcard's PIN); the passphrase then opens the case log alone.
    """

    reviewer: Fingerprint
    log: VerifierKey
    keyset: str
    agent_asks: bool

    def write(self, path: Path) -> None:
        """Leave this at *path*."""
        told: dict[str, Writable] = {
            "v": 1,
            "reviewer": str(self.reviewer),
            "log": str(self.log),
            "keyset": self.keyset,
            "agent_asks": self.agent_asks,
        }
        write_whole(path, canonical_json(told))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Take this up again.

        Raises:
            DeskError: It is not there, may not be read, or is damaged.
        """
        try:
            told = strict_json(path.read_bytes()[: _LARGEST_BYTES + 1], _LARGEST_BYTES, canonical=True)
            match told:
                case {
                    "v": 1,
                    "reviewer": str(reviewer),
                    "log": str(log),
                    "keyset": str(keyset),
                    "agent_asks": bool(agent_asks),
                }:
                    return cls(Fingerprint(reviewer), VerifierKey.parse(log), keyset, agent_asks)
                case _:
                    raise DeskError(f"{path} is of another version of this program")
        except (FileNotFoundError, NotADirectoryError) as error:
            says = f"{path.parent} is not the folder of a workstation: there is no {path.name} in it"
            raise DeskError(says) from error
        except OSError as error:
            raise DeskError(f"{path} cannot be read: {(error.strerror or type(error).__name__).lower()}") from error
        except (JsonError, KeysError, LedgerError) as error:
            raise DeskError(f"{path} is damaged: {error}") from error
