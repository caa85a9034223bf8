"""Chain log entries by hashes, so that nobody changes or drops one in the middle unseen.

The chain shows a change to whoever holds a later hash. Entries cut from the end, or a chain written
anew, are seen only by comparing with a hash that was kept elsewhere (in a backup, on paper, in a bag).
"""

import hashlib
import hmac
from collections.abc import Iterable
from itertools import zip_longest

from hardening.errors import HardeningError

HASH_BYTES = 32
START = bytes(HASH_BYTES)
"""The hash before the first entry."""

# The label keeps an audit hash from ever meaning anything in another format.
_LABEL = b"svidok audit chain 1\n"


class AuditError(HardeningError):
    """A hash of the chain has an impossible form."""


def link(previous_hash: bytes, body: bytes) -> bytes:
    """Hash *body* together with all that came before it.

    Args:
        previous_hash: What the entry before was given, or `START`.
        body: The entry as it is stored, byte by byte.

    Raises:
        AuditError: *previous_hash* has not 32 bytes.
    """
    if len(previous_hash) != HASH_BYTES:
        raise AuditError(f"a chain hash has {HASH_BYTES} bytes, not {len(previous_hash)}")
    # The hash before has a fixed length, so the two cannot be divided in another way.
    return hashlib.sha256(_LABEL + previous_hash + body).digest()


def verify(bodies: Iterable[bytes], hashes: Iterable[bytes], start: bytes = START) -> int | None:
    """Find the first entry that is not what was chained; `None` if all are.

    Args:
        bodies: The entries in order.
        hashes: Their hashes in order; one too few or too many counts as a bad entry.
        start: A known good hash, to verify only what came after it.
    """
    expected = start
    for index, (body, stored) in enumerate(zip_longest(bodies, hashes)):
        if body is None or stored is None:
            return index
        expected = link(expected, body)
        if not hmac.compare_digest(expected, stored):
            return index
    return None
