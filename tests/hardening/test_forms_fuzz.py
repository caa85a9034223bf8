import logging
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hardening.site import Client, Site, folder, request, running
from tests.hardening.test_forms import BOUNDARY, END, MULTIPART, file, part, whole

SEEDS = [
    whole(part(), file(bytes(3000))),
    whole(file(b"", b""), part("ж".encode() * 50), file(b"\r\n--x\r\n" * 20, "😀".encode())),
    whole(*[part(b"x", b'Content-Disposition: form-data; name="box"')] * 15),
    END[2:],
]
TOKENS = [
    b"\r\n", b"\r", b"\n", b"--", b"\0", b"\xff", b";", b'"', b"=", b":", b" ", b"\t", b"filename*=", b"%",
    b"\r\n--" + BOUNDARY.encode(), END, b"Content-Disposition: form-data; name=", b"Content-Transfer-Encoding: base64",
]  # fmt: skip


def mutated(random_source: random.Random) -> bytes:
    body = bytearray(random_source.choice(SEEDS))
    for _ in range(random_source.randint(1, 6)):
        place = random_source.randrange(len(body) + 1)
        match random_source.randrange(6):
            case 0:
                body[place:place] = random_source.choice(TOKENS)
            case 1:
                del body[place : place + random_source.randint(1, 40)]
            case 2:
                body[place : place + 1] = random_source.randbytes(1)
            case 3:
                body[place:place] = body[: random_source.randint(1, 200)]
            case 4:
                body[place : place + 4] = random_source.choice(TOKENS)
            case _:
                body += random_source.choice(TOKENS)
    return bytes(body)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def files_of(site: Site) -> list[str]:
    """The files beside the socket, which is where temporary files go in these tests, and all open ones."""
    opened = [str(Path(link).readlink()) for link in Path("/proc/self/fd").iterdir() if link.exists()]
    return sorted([*map(str, site.path.parent.iterdir()), *(name for name in opened if name.startswith("/tmp"))])  # noqa: S108


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with folder() as path, running(Site(path / "s")) as site:
        monkeypatch.setattr(tempfile, "tempdir", str(path))
        yield site


def bombard(site: Site, number: int) -> dict[int, int]:
    """Send *number* damaged forms and count the answers by status."""
    random_source = random.Random(19)  # noqa: S311
    found: dict[int, int] = {}
    client = Client(site)
    for turn in range(number):
        if turn % 90 == 0:
            client.socket.close()
            client = Client(site, 2)
        answer = client.send(request("POST", "/send", MULTIPART, body=mutated(random_source))).answer()
        found[answer.status] = found.get(answer.status, 0) + 1
    client.socket.close()
    return found


def check(site: Site, number: int, caplog: pytest.LogCaptureFixture) -> None:
    # What a test remembers of the parser's warnings is no drift either.
    caplog.set_level(logging.ERROR, "python_multipart")
    # What a first round needs once (code, pools) is no drift.
    bombard(site, 200)
    site.kept.clear()
    before, left = resident_bytes(), files_of(site)

    found = bombard(site, number)

    assert set(found) <= {200, 400, 403, 413, 415}
    assert found[400] > number / 10
    assert found[200] == len(site.kept) > 0
    site.kept.clear()
    assert resident_bytes() - before <= 20 * 2**20
    assert files_of(site) == left


@pytest.mark.check("E19")
def test_damaged_forms_are_refused_or_read_and_never_break_anything(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    began = time.monotonic()

    check(site, 500, caplog)

    assert time.monotonic() - began < 60


@pytest.mark.check("E19")
@pytest.mark.full
def test_fifty_thousand_damaged_forms(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    check(site, 50_000, caplog)
