"""What the played source tells and sends: answers, real files, all marked as fictional, and much of random bytes."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from hardening.canonical import JSON
from svidok.journey.browser import Chosen, Typed

LARGE_BYTES = 64 * 1024 * 1024
MESSAGE = "This is a fictional sample message.\nЦе вигаданий приклад."
ANSWERS: Sequence[Mapping[str, Typed]] = (
    {"r1": "victim"},
    {"u1": "no", "u4": "no", "u5": ["medical", "legal"]},
    {"w1": ["pillage"], "t1.m": "3", "t1.y": "2022", "t1.about": ["yes"], "p1.country": "UA", "depth": "short"},
    {"n1": ["legal"], "n4": "Вигадане: увечері."},
    {"c2": "yes"},
)
"""What she fills in on each page of the short path (fictional)."""
NOTES: Mapping[str, Typed] = {"e6": "original", "e7": ["none"]}
"""What she says about her photo."""
UNDERSTOOD: Mapping[str, Mapping[str, JSON]] = {
    "account": {
        "r1": "victim",
        "u1": "no",
        "u4": "no",
        "u5": ["medical", "legal"],
        "w1": ["pillage"],
        "t1": "2022-03~",
        "p1": {"country": "UA"},
        "depth": "short",
    },
    "contact": {"n1": ["legal"], "n4": "Вигадане: увечері."},
    "consents": {"c2": "yes"},
    "notes": {"e6": "original", "e7": ["none"]},
}
"""The same as the desk must find it, by the document that it is sealed in."""
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Item:
    """A file as the source has it."""

    name: str
    path: Path
    media_type: str
    sha256: str

    @classmethod
    def of(cls, name: str, path: Path, media_type: str) -> "Item":
        """Take the file at *path* under the name that the source gave it."""
        with path.open("rb") as file:
            return cls(name, path, media_type, hashlib.file_digest(file, "sha256").hexdigest())

    @property
    def size_bytes(self) -> int:
        """Its size."""
        return self.path.stat().st_size

    def chosen(self) -> Chosen:
        """Choose it in a form; the file stays open until it was sent."""
        return Chosen(self.name, self.path.open("rb"), self.size_bytes, self.media_type)


def small_items(folder: Path) -> list[Item]:
    """Lay out a photo with its hidden details, a document, a film, and two with names that are not ASCII."""
    samples = files("svidok.journey").joinpath("samples")
    for name in ("photo.jpg", "document.pdf", "video.mp4"):
        (folder / name).write_bytes(samples.joinpath(name).read_bytes())
    (folder / "note").write_text("Вигаданий приклад.\n", "utf-8")
    (folder / "voice").write_bytes(secrets.token_bytes(100_000))
    return [
        Item.of("photo.jpg", folder / "photo.jpg", "image/jpeg"),
        Item.of("document.pdf", folder / "document.pdf", "application/pdf"),
        Item.of("video.mp4", folder / "video.mp4", "video/mp4"),
        Item.of("вигадана нотатка.txt", folder / "note", "text/plain"),
        Item.of("تسجيل خيالي.ogg", folder / "voice", "audio/ogg"),
    ]


def report_item(folder: Path) -> Item:
    """Lay out a photo that belongs to the answers."""
    path = folder / "report-photo"
    path.write_bytes(files("svidok.journey").joinpath("samples", "photo.jpg").read_bytes())
    return Item.of("вигадана світлина.jpg", path, "image/jpeg")


def large_item(folder: Path, size_bytes: int = LARGE_BYTES) -> Item:
    """Lay out one large file that nothing can compress."""
    path = folder / "large"
    with path.open("wb") as file:
        for _ in range(size_bytes // _CHUNK_BYTES):
            file.write(secrets.token_bytes(_CHUNK_BYTES))
    return Item.of("large fictional sample.bin", path, "application/octet-stream")
