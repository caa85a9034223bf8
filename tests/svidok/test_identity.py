"""Who a drop is: one canonical file that anybody may read, and nothing else is taken for it."""

import json
from pathlib import Path

import pytest

from ledger.note import VerifierKey
from svidok.errors import CommandError
from svidok.identity import LARGEST_BYTES, Identity, new_origin

IDENTITY = Identity(
    VerifierKey("log-0011223344556677", bytes(range(32))), f"{'a' * 56}.onion", f"{'b' * 56}.onion", True
)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    IDENTITY.write(tmp_path / "drop.json")
    return tmp_path / "drop.json"


def test_what_is_written_is_read(written: Path) -> None:
    assert Identity.read(written) == IDENTITY
    assert IDENTITY.origin == "log-0011223344556677"
    assert written.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"log": "log-0011223344556677+00000000+AAAA"},
        {"log": 1},
        {"source_address": None},
        {"evaluation": 1},
        {"evaluation": "true"},
        {"log": None},
    ],
    ids=str,
)
def test_anything_else_is_refused(change: dict[str, object], written: Path) -> None:
    told = {**json.loads(written.read_bytes()), **change}
    written.write_text(json.dumps(told, sort_keys=True, separators=(",", ":")))

    with pytest.raises(CommandError):
        Identity.read(written)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b" {}", b"x" * (LARGEST_BYTES + 1), b'{"v":1,"v":1}', b"\xff"], ids=repr
)
def test_no_identity_is_refused(content: bytes, written: Path) -> None:
    written.write_bytes(content)

    with pytest.raises(CommandError):
        Identity.read(written)


def test_one_byte_more_is_refused(written: Path) -> None:
    written.write_bytes(written.read_bytes() + b"\n")

    with pytest.raises(CommandError, match="cannot read who this drop is"):
        Identity.read(written)


def test_a_missing_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refused:
        Identity.read(tmp_path / "none")

    assert str(refused.value) == f"cannot read who this drop is from {tmp_path / 'none'}: no such file or directory"


def test_a_logs_name_says_nothing() -> None:
    names = {new_origin() for _ in range(100)}

    assert len(names) == 100
    assert all(name.startswith("log-") and len(bytes.fromhex(name[4:])) == 8 for name in names)
