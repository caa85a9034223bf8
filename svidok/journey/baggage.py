"""What the played source sends: real files, marked as fictional, and one large one of random bytes."""

import hashlib
import secrets
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from svidok.journey.browser import Chosen

LARGE_BYTES = 64 * 1024 * 1024
MESSAGE = "This is a fictional sample message.\nЦе вигаданий приклад."
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


def large_item(folder: Path, size_bytes: int = LARGE_BYTES) -> Item:
    """Lay out one large file that nothing can compress."""
    path = folder / "large"
    with path.open("wb") as file:
        for _ in range(size_bytes // _CHUNK_BYTES):
            file.write(secrets.token_bytes(_CHUNK_BYTES))
    return Item.of("large fictional sample.bin", path, "application/octet-stream")
