"""A file system in a file: what is on it can be copied as a power cut would leave it, and searched byte by byte."""

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

IMAGE_BYTES = 48 * 1024 * 1024


@contextmanager
def disk(image: Path, place: Path, size_bytes: int = IMAGE_BYTES) -> Generator[Path]:
    """Make a new one and mount it."""
    with image.open("wb") as file:
        file.truncate(size_bytes)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    with mounted(image, place) as root:
        yield root


@contextmanager
def mounted(image: Path, place: Path) -> Generator[Path]:
    """Mount one that there is."""
    place.mkdir(exist_ok=True)
    # The file system's own habit of forcing things out every five seconds would help whoever forgets to.
    subprocess.run(["mount", "-o", "loop,commit=600", image, place], check=True)
    try:
        place.chmod(0o700)
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def cut(image: Path, copy: Path) -> Path:
    """Copy a disk in use, without a sync: what a power cut takes away is not to be asked for."""
    subprocess.run(["cp", "--sparse=always", image, copy], check=True)
    return copy
