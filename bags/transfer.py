"""Carry submissions from the server to a workstation: the transfer bag."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from bags.errors import ContentError, LayoutError
from bags.index import MAX_INDEX_BYTES, Index, Part, format_index, parse_index, part_path
from bags.layout import KnownFile, Layout, bag_layout
from bags.profile import TRANSFER, Profile
from bags.verify import Contents, unpacking

MAX_KEYSET_BYTES = 1024 * 1024
MAX_PROMISE_BYTES = 128 * 1024

_INDEX = "data/index.json"
_KEYSET = "data/keyset.json"
_PROMISES = "data/promises/"
_SUBMISSIONS = "data/submissions/"

OpenPart = Callable[[str], BinaryIO]
"""Opens the ciphertext of the part with this id."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer bag that is whole and agrees with itself; nothing in it is opened yet.

    The promises are neither verified nor matched with their parts: that needs the ledger.
    """

    index: Index
    keyset: bytes
    promises: Mapping[str, bytes]
    folder: Path

    def sealed(self, submission_id: str, part_id: str) -> Path:
        """Return where the ciphertext of a part lies while the bag is lent or after it was kept."""
        return self.folder / part_path(submission_id, part_id)


def transfer_layout(index: Index, promises: Mapping[str, bytes], keyset: bytes, open_part: OpenPart) -> Layout:
    """Plan the transfer bag; the same arguments give the same bytes on every day.

    Args:
        index: What goes into the bag. Its hashes and sizes are those of the stored files.
        promises: Signed promises by leaf hash (64 lower-case hexadecimal digits).
        keyset: The keyset that was in force, in its canonical form.
        open_part: Asked for a part only when its bytes are streamed.

    Raises:
        BagsError: The arguments do not fit each other or the format.
    """
    if sha256(keyset).hexdigest() != index.keyset_sha256:
        raise LayoutError("the index names another keyset")
    payload = [KnownFile.of_bytes(_INDEX, format_index(index)), KnownFile.of_bytes(_KEYSET, keyset)]
    payload += [KnownFile.of_bytes(f"{_PROMISES}{leaf}.txt", promise) for leaf, promise in promises.items()]
    payload += [
        KnownFile(path, part.size_bytes, part.ct_sha256, partial(open_part, part.id))
        for path, part in index.parts().items()
    ]
    return bag_layout(TRANSFER, index.bag_id, payload)


@contextmanager
def receiving(untrusted_tar: Path, destination: Path, profile: Profile = TRANSFER) -> Generator[Transfer]:
    """Lend a transfer bag, and keep it at *destination* only if the block ends well.

    In the block, paths lie under a folder beside *destination*; afterwards under *destination*.

    Raises:
        BagsError: The bag is refused. Nothing is left, also when the block itself raises.
    """
    with unpacking(untrusted_tar, destination, profile) as contents:
        yield _read(contents)


def _read(contents: Contents) -> Transfer:
    index = parse_index(contents.read(_INDEX, MAX_INDEX_BYTES))
    # 1. The ids inside are the ids outside.
    if index.bag_id != contents.bag_id:
        raise ContentError("the index is that of another bag")
    keyset = contents.read(_KEYSET, MAX_KEYSET_BYTES)
    if sha256(keyset).hexdigest() != index.keyset_sha256:
        raise ContentError("the keyset is not the one that the index names")
    # 2. The sealed parts are those of the index, neither more nor less, each with its hash and size.
    listed = index.parts()
    found = {
        path: (each.sha256, each.size_bytes) for path, each in contents.files.items() if path.startswith(_SUBMISSIONS)
    }
    if found != {path: _measure(part) for path, part in listed.items()}:
        raise ContentError("the sealed parts are not those of the index")
    # 3. A promise speaks for one part.
    promises = [path for path in contents.files if path.startswith(_PROMISES)]
    if len(promises) > len(listed):
        raise ContentError("there are more promises than parts")
    return Transfer(
        index,
        keyset,
        {Path(path).stem: contents.read(path, MAX_PROMISE_BYTES) for path in promises},
        contents.folder,
    )


def _measure(part: Part) -> tuple[str, int]:
    return part.ct_sha256, part.size_bytes
