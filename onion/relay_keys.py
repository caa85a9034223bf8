"""Make the keys of a private network's relays and authority once, and keep them, as making them is slow."""

import base64
import binascii
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from hardening.clock import Clock, today
from hardening.files import destroy, private_folder, write_whole
from onion.consensus import Authority, RelayKeys, make_authority
from onion.errors import NetworkError
from onion.program import TorProgram

# Relays make new onion keys after 28 days, and the consensus could then no longer name them.
_LONGEST_USE = timedelta(days=14)
_PREFIX = "keys-"
_LIMIT_SECONDS = 120
_SIGNING_FILE = "authority.pem"
_CERTIFICATE_FILE = "authority.cert"


@dataclass(frozen=True, slots=True)
class KeyCache:
    """A private folder of key sets, one a day at most; shared by networks that run at the same time."""

    folder: Path
    program: TorProgram
    clock: Clock

    def take(self, relays: int) -> Path:
        """Lend a folder with keys for this many relays; make them when there are none young enough.

        Raises:
            NetworkError: Tor could not make its keys.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        private_folder(self.folder)
        day = today(self.clock)
        suffix = f"-{relays}"
        for old in self.folder.glob(f"{_PREFIX}*{suffix}"):
            if not _usable(old, suffix, day):
                destroy(old)
        kept = sorted(self.folder.glob(f"{_PREFIX}*{suffix}"))
        return kept[-1] if kept else self._make(self.folder / f"{_PREFIX}{day}{suffix}", relays)

    def _make(self, wanted: Path, relays: int) -> Path:
        draft = private_folder(self.folder / f".{secrets.token_hex(8)}")
        try:
            folders = [private_folder(draft / relay_name(number)) for number in range(relays)]
            _make_relays(folders, self.program)
            authority = make_authority(self.clock.now())
            signing = authority.signing.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            write_whole(draft / _CERTIFICATE_FILE, authority.certificate.encode("ascii"))
            write_whole(draft / _SIGNING_FILE, signing)
            draft.rename(wanted)
        except OSError:
            # Another network was faster; its keys are as good.
            if not wanted.is_dir():
                raise
        finally:
            destroy(draft)
        return wanted


def relay_name(number: int) -> str:
    """Name a relay, and its folder."""
    return f"relay{number}"


def load_authority(keys: Path) -> Authority:
    """Read the authority from a set of keys.

    Raises:
        NetworkError: The key is not one that `KeyCache` wrote.
    """
    signing = serialization.load_pem_private_key((keys / _SIGNING_FILE).read_bytes(), None)
    if not isinstance(signing, rsa.RSAPrivateKey):
        raise NetworkError("the kept key of the private network's authority is not an RSA key")
    return Authority.read((keys / _CERTIFICATE_FILE).read_text("ascii"), signing)


def load_relay(folder: Path) -> RelayKeys:
    """Read the public halves of a relay's keys, as tor wrote them.

    Raises:
        NetworkError: Tor wrote something else.
    """
    try:
        tap = serialization.load_pem_private_key((folder / "keys" / "secret_onion_key").read_bytes(), None)
        fingerprint = "".join((folder / "fingerprint").read_text("ascii").split()[1:])
        identity = (folder / "fingerprint-ed25519").read_text("ascii").split()[1]
        if not isinstance(tap, rsa.RSAPrivateKey):
            raise NetworkError("a relay's onion key is not an RSA key")
        return RelayKeys(
            fingerprint=bytes.fromhex(fingerprint),
            tap=tap.public_key(),
            # Tor's file: 32 bytes of header, the secret half, the public half.
            ntor=(folder / "keys" / "secret_onion_key_ntor").read_bytes()[64:96],
            identity=base64.b64decode(identity + "="),
        )
    except (OSError, ValueError, IndexError, binascii.Error) as error:
        raise NetworkError("the keys of a relay cannot be read") from error


def copy_relay(keys: Path, data: Path) -> None:
    """Put a relay's keys into its data folder, which must exist and be empty."""
    shutil.copytree(keys / "keys", data / "keys")
    for name in ("fingerprint", "fingerprint-ed25519"):
        shutil.copy2(keys / name, data / name)


def _usable(folder: Path, suffix: str, day: date) -> bool:
    try:
        made = date.fromisoformat(folder.name.removeprefix(_PREFIX).removesuffix(suffix))
    except ValueError:
        return False
    return timedelta(0) <= day - made <= _LONGEST_USE


def _make_relays(folders: list[Path], program: TorProgram) -> None:
    started = [_start_making(folder, program) for folder in folders]
    try:
        codes = [process.wait(_LIMIT_SECONDS) for process in started]
    except subprocess.TimeoutExpired as error:
        raise NetworkError("tor takes too long to make the keys of a relay") from error
    finally:
        for process in started:
            process.kill()
            process.wait()
    if any(codes):
        raise NetworkError("tor cannot make the keys of a relay")


def _start_making(folder: Path, program: TorProgram) -> subprocess.Popen[bytes]:
    empty = folder / "defaults"
    write_whole(empty, b"")
    command = [
        program.path,
        *("-f", str(empty), "--defaults-torrc", str(empty)),
        *("--orport", "1", "--datadirectory", str(folder), "--list-fingerprint", "--hush"),
    ]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
