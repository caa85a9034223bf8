"""A drop in memory: sources whose parts are really sealed, a log that really promises, and the bags it gives away.

Everything is real but the web: `send` seals as the source interface does, `bag` lays out what the reviewers' interface
would hand over. Whatever is frozen can be exchanged with `dataclasses.replace` to tell a lie.
"""

import io
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import BinaryIO

from nacl.public import PrivateKey

from bags.index import NO_KEY, Collection, Index, Part, Submission
from bags.layout import write_layout
from bags.transfer import transfer_layout
from keys.gpg import Gpg
from keys.keyset import Keyset
from keys.manifest import MEDIA_TYPE, FormVersion, ListedPart, Manifest, format_manifest, listed
from keys.recipients import Recipients
from keys.sealing import PartLabel, Sealed, seal
from keys.trailer import REPORT_KINDS, Kind, outside_kind
from ledger.entry import Received, size_class
from ledger.promise import Promise, sign_promise
from questionnaire.model import Form
from questionnaire.parts import AnswersPart, format_part
from tests.keyring import DAY
from tests.ledger.signers import LOG, Signer
from tests.questionnaire.forms import small_form


@dataclass(frozen=True, slots=True)
class Source:
    """Somebody who sends, and how reviewers know her."""

    collection: str
    designation: str
    key: PrivateKey

    @property
    def public_key(self) -> bytes:
        return bytes(self.key.public_key)


@dataclass(frozen=True, slots=True)
class Item:
    """What a source sends: words or a file."""

    kind: Kind
    content: bytes
    name: str = ""
    media_type: str = ""


def words(text: str) -> Item:
    return Item("message", text.encode(), media_type="text/plain")


def file(name: str, content: bytes, media_type: str = "application/octet-stream") -> Item:
    return Item("file", content, name, media_type)


def documents(parts: Iterable[AnswersPart]) -> tuple[Item, ...]:
    """What a source's answers are sealed from."""
    return tuple(Item(one.part, format_part(one), media_type=MEDIA_TYPE) for one in parts)


@dataclass(frozen=True, slots=True)
class SealedPart:
    """A part as the server stores it, with what the server thinks it is."""

    sealed: Sealed
    path: Path

    @property
    def part(self) -> Part:
        return Part(self.sealed.part_id, outside_kind(self.sealed.kind), self.sealed.sha256, self.sealed.size_bytes)

    @property
    def listed(self) -> ListedPart:
        assert self.sealed.kind != "manifest"
        return ListedPart(self.sealed.part_id, self.sealed.kind, self.sealed.sha256)


@dataclass(frozen=True, slots=True)
class Sent:
    """One submission as the server stores it."""

    source: Source
    submission: str
    parts: tuple[SealedPart, ...]
    day: date = DAY

    def of_kind(self, kind: Kind) -> tuple[SealedPart, ...]:
        return tuple(part for part in self.parts if part.sealed.kind == kind)


@dataclass(slots=True)
class Drop:
    """The server's side; *folder* is where it keeps sealed parts and writes bags."""

    folder: Path
    keyset: Keyset
    recipients: Recipients
    gpg: Gpg
    log: Signer = field(default_factory=lambda: LOG)
    day: date = DAY
    form: Form = field(default_factory=small_form)

    def source(self, designation: str = "quiet heron") -> Source:
        return Source(secrets.token_hex(16), designation, PrivateKey.generate())

    def seal(self, item: Item, recipients: Recipients | None = None, part_id: str | None = None) -> SealedPart:
        """Seal one part as it would arrive."""
        return self.seal_stream(io.BytesIO(item.content), item, recipients, part_id)

    def seal_stream(
        self, content: BinaryIO, item: Item, recipients: Recipients | None = None, part_id: str | None = None
    ) -> SealedPart:
        """Seal a part that is too large to hold; of *item* only the label counts."""
        label = PartLabel(part_id or secrets.token_hex(16), item.kind, item.name, item.media_type, self.day)
        path = self.folder / f"{secrets.token_hex(16)}.gpg"
        return SealedPart(seal(content, label, recipients or self.recipients, path, self.gpg), path)

    def manifest(self, source: Source, parts: Iterable[SealedPart]) -> Manifest:
        listing = listed(part.listed for part in parts)
        report = any(part.kind in REPORT_KINDS for part in listing)
        form = FormVersion(self.form.form_id, self.form.version, self.form.sha256) if report else None
        return Manifest(form, "en", self.keyset.hash, source.public_key, listing)

    def seal_manifest(self, manifest: Manifest) -> SealedPart:
        return self.seal(Item("manifest", format_manifest(manifest), media_type=MEDIA_TYPE))

    def send(self, source: Source, *items: Item) -> Sent:
        """Seal *items* and their manifest as one submission."""
        return self.sent(source, [self.seal(item) for item in items])

    def sent(self, source: Source, parts: Sequence[SealedPart]) -> Sent:
        """Make a submission of parts that are sealed, with an honest manifest."""
        manifest = self.seal_manifest(self.manifest(source, parts))
        return Sent(source, secrets.token_hex(16), (*parts, manifest), self.day)

    def promises(self, *sent: Sent) -> dict[str, bytes]:
        """Promise every part, by leaf hash."""
        promises: dict[str, bytes] = {}
        for submission in sent:
            for part in submission.parts:
                entry = Received(part.sealed.sha256, size_class(part.sealed.size_bytes), submission.day)
                promise = Promise(self.log.key.name, entry.leaf_hash(), submission.day)
                promises[entry.leaf_hash().hex()] = sign_promise(promise, self.log.key, self.log.sign)
        return promises

    def index(self, *sent: Sent) -> Index:
        collections: dict[str, Collection] = {}
        for each in sent:
            source = each.source
            empty = Collection(source.collection, source.designation, source.public_key, ())
            collection = collections.setdefault(source.collection, empty)
            submission = Submission(each.submission, each.day, tuple(part.part for part in each.parts))
            collections[source.collection] = replace(collection, submissions=(*collection.submissions, submission))
        return Index(self.log.key.name, secrets.token_hex(16), self.keyset.hash, tuple(collections.values()))

    def bag(self, *sent: Sent) -> Path:
        """Write the transfer bag that holds these submissions."""
        return self.written(self.index(*sent), self.promises(*sent), *sent)

    def closed_bag(self, *sent: Sent) -> Path:
        """Write the bag that holds these submissions when their sources have closed their inboxes."""
        index = self.index(*sent)
        closed = tuple(replace(one, source_public_key=NO_KEY) for one in index.collections)
        return self.written(replace(index, collections=closed), self.promises(*sent), *sent)

    def written(self, index: Index, promises: Mapping[str, bytes], *sent: Sent) -> Path:
        """Write a bag that says *index*."""
        paths = {part.sealed.part_id: part.path for submission in sent for part in submission.parts}
        layout = transfer_layout(index, promises, self.keyset.canonical, lambda part_id: paths[part_id].open("rb"))
        bag = self.folder / f"{index.bag_id}.tar"
        write_layout(layout, bag)
        return bag
