"""Write the directory of a private network (dir-spec, microdescriptor flavour) and sign it ourselves.

No authority runs: every tor finds the consensus in its data folder and is at home at once. All relays are
alike, so the network is useless for anonymity and good for tests and evaluation.
"""

import base64
import hashlib
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from onion.errors import NetworkError

# With one hour between two votes, tor's time periods are those of the real network (24 hours). Longer ones
# let the revision counters of descriptors stop growing.
INTERVAL = timedelta(hours=1)
# Tor goes on using a consensus for a day after its end when nothing newer is to be had.
_GRACE = timedelta(hours=24)
_CERTIFICATE_LIFE = timedelta(days=365)
_KEY_BITS = 2048

_PROTOCOLS = (
    "Conflux=1 Cons=1-2 Desc=1-4 DirCache=2 FlowCtrl=1-2 HSDir=2 HSIntro=4-5 HSRend=1-2 Link=3-5 LinkAuth=3 "
    "Microdesc=1-3 Padding=2 Relay=2-6"
)
_HEADER = """\
network-status-version 3 microdesc
vote-status consensus
consensus-method 35
valid-after {valid_after}
fresh-until {fresh_until}
valid-until {valid_until}
voting-delay 2 2
client-versions 
server-versions 
known-flags Authority Exit Fast Guard HSDir NoEdConsensus Running Stable StaleDesc Sybil V2Dir Valid
recommended-client-protocols Cons=2 Desc=2 DirCache=2 HSDir=2 HSIntro=4 HSRend=2 Link=4-5 Microdesc=2 Relay=2-4
recommended-relay-protocols Cons=2 Desc=2 DirCache=2 HSDir=2 HSIntro=4-5 HSRend=2 Link=4-5 Microdesc=2 Relay=2-4
required-client-protocols Cons=2 Desc=2 Link=4 Microdesc=2 Relay=2
required-relay-protocols Cons=2 Desc=2 DirCache=2 HSDir=2 HSIntro=4-5 HSRend=2 Link=4-5 Microdesc=2 Relay=2-4
shared-rand-previous-value 9 {previous}
shared-rand-current-value 9 {current}
dir-source authority {authority} 127.0.0.1 127.0.0.1 {port} {port}
contact none
vote-digest 0000000000000000000000000000000000000000
"""  # noqa: W291 - the specification wants the space after an empty list of versions
_FOOTER = """\
directory-footer
bandwidth-weights Wbd=3333 Wbe=0 Wbg=0 Wbm=10000 Wdb=10000 Web=10000 Wed=3333 Wee=10000 Weg=3333 \
Wem=10000 Wgb=10000 Wgd=3333 Wgg=10000 Wgm=10000 Wmb=10000 Wmd=3333 Wme=0 Wmg=0 Wmm=10000
directory-signature \
"""


@dataclass(frozen=True, slots=True)
class RelayKeys:
    """The public halves of a relay's keys."""

    fingerprint: bytes
    tap: rsa.RSAPublicKey
    ntor: bytes
    identity: bytes

    def microdescriptor(self) -> str:
        """Write what clients must know to build a circuit through this relay."""
        return (
            f"onion-key\n{_armour('RSA PUBLIC KEY', _der(self.tap))}"
            f"ntor-onion-key {_base64(self.ntor)}\nid ed25519 {_base64(self.identity)}\n"
        )


@dataclass(frozen=True, slots=True)
class Relay:
    """A relay of the private network: its keys, and its port on loopback."""

    name: str
    port: int
    keys: RelayKeys

    def entry(self) -> str:
        """Write the relay's lines in the consensus."""
        digest = hashlib.sha256(self.keys.microdescriptor().encode("ascii")).digest()
        return (
            f"r {self.name} {_base64(self.keys.fingerprint)} 2038-01-01 00:00:00 127.0.0.1 {self.port} 0\n"
            f"m {_base64(digest)}\ns Fast Guard HSDir Running Stable V2Dir Valid\n"
            f"v Tor 0.4.9.11\npr {_PROTOCOLS}\nw Bandwidth=10000\n"
        )


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs the consensus; its identity key is thrown away once it has signed the certificate."""

    identity: bytes
    certificate: str
    signing: rsa.RSAPrivateKey

    @classmethod
    def read(cls, certificate: str, signing: rsa.RSAPrivateKey) -> Self:
        """Take up an authority whose *certificate* was kept.

        Raises:
            NetworkError: The certificate does not say whose it is.
        """
        found = re.search(r"^fingerprint ([0-9A-F]{40})$", certificate, re.MULTILINE)
        if found is None:
            raise NetworkError("the certificate of the private network's authority names no fingerprint")
        return cls(bytes.fromhex(found[1]), certificate, signing)


@dataclass(frozen=True, slots=True)
class Directory:
    """The three files that put a tor into the network, by name, and until when they serve."""

    files: dict[str, str]
    good_until: datetime


def make_authority(now: datetime) -> Authority:
    """Make an authority's keys and certificate (dir-spec, 3.1)."""
    identity = rsa.generate_private_key(65537, _KEY_BITS)
    signing = rsa.generate_private_key(65537, _KEY_BITS)
    fingerprint = _sha1(_der(identity.public_key()))
    body = (
        f"dir-key-certificate-version 3\nfingerprint {_hex(fingerprint)}\n"
        f"dir-key-published {_time(now - 2 * INTERVAL)}\ndir-key-expires {_time(now + _CERTIFICATE_LIFE)}\n"
        f"dir-identity-key\n{_armour('RSA PUBLIC KEY', _der(identity.public_key()))}"
        f"dir-signing-key\n{_armour('RSA PUBLIC KEY', _der(signing.public_key()))}"
        f"dir-key-crosscert\n{_armour('ID SIGNATURE', _sign(signing, fingerprint))}dir-key-certification\n"
    )
    certificate = body + _armour("SIGNATURE", _sign(identity, _sha1(body.encode("ascii"))))
    return Authority(fingerprint, certificate, signing)


def make_directory(authority: Authority, relays: Sequence[Relay], now: datetime) -> Directory:
    """Write and sign the directory of a network that begins at *now*, with the first relay in the authority's place."""
    valid_after = now.replace(minute=0, second=0, microsecond=0)
    ordered = sorted(relays, key=lambda relay: relay.keys.fingerprint)
    body = (
        _HEADER.format(
            valid_after=_time(valid_after),
            fresh_until=_time(valid_after + INTERVAL),
            valid_until=_time(valid_after + 3 * INTERVAL),
            previous=_shared_random("previous"),
            current=_shared_random("current"),
            authority=_hex(authority.identity),
            port=relays[0].port,
        )
        + "".join(relay.entry() for relay in ordered)
        + _FOOTER
    )
    # The signature covers all up to and including the space after `directory-signature`.
    signature = _sign(authority.signing, hashlib.sha256(body.encode("ascii")).digest())
    key = _hex(_sha1(_der(authority.signing.public_key())))
    consensus = f"{body}sha256 {_hex(authority.identity)} {key}\n{_armour('SIGNATURE', signature)}"
    listed = f"@last-listed {_time(now)}\n"
    files = {
        "cached-microdesc-consensus": consensus,
        "cached-certs": authority.certificate,
        "cached-microdescs.new": "".join(listed + relay.keys.microdescriptor() for relay in relays),
    }
    return Directory(files, valid_after + 3 * INTERVAL + _GRACE)


def _sign(key: rsa.RSAPrivateKey, digest: bytes) -> bytes:
    """Sign as tor does: PKCS#1 v1.5 padding of the bare digest, without the name of the hash."""
    size = key.key_size // 8
    padded = b"\x00\x01" + b"\xff" * (size - 3 - len(digest)) + b"\x00" + digest
    numbers = key.private_numbers()
    return pow(int.from_bytes(padded), numbers.d, numbers.public_numbers.n).to_bytes(size)


def _sha1(content: bytes) -> bytes:
    return hashlib.sha1(content).digest()  # noqa: S324 - fixed by tor for fingerprints


def _der(key: rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)


def _armour(kind: str, content: bytes) -> str:
    lines = "\n".join(textwrap.wrap(base64.b64encode(content).decode("ascii"), 64))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii").rstrip("=")


def _shared_random(which: str) -> str:
    return base64.b64encode(hashlib.sha256(which.encode("ascii")).digest()).decode("ascii")


def _hex(content: bytes) -> str:
    return content.hex().upper()


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")
