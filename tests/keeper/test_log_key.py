"""The log key is made once, kept to itself, and is the one that was published."""

from pathlib import Path

import pytest

from keeper.errors import LogKeyError
from keeper.log_key import LogKey


def test_a_key_is_taken_up_again(tmp_path: Path) -> None:
    made = LogKey.create(tmp_path / "key", "log-test")

    assert LogKey.load(tmp_path / "key", made.verifier).verifier == made.verifier
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_a_key_is_never_made_over_another(tmp_path: Path) -> None:
    LogKey.create(tmp_path / "key", "log-test")

    with pytest.raises(LogKeyError):
        LogKey.create(tmp_path / "key", "log-test")


@pytest.mark.check("M13")
def test_a_key_that_is_missing_damaged_open_or_anothers_is_refused(tmp_path: Path) -> None:
    made = LogKey.create(tmp_path / "key", "log-test")
    other = LogKey.create(tmp_path / "other", "log-other")
    (tmp_path / "short").write_bytes(b"x" * 31)
    (tmp_path / "short").chmod(0o600)
    (tmp_path / "open").write_bytes((tmp_path / "key").read_bytes())
    (tmp_path / "open").chmod(0o644)

    for name, verifier in (("gone", made.verifier), ("short", made.verifier), ("open", made.verifier)):
        with pytest.raises(LogKeyError):
            LogKey.load(tmp_path / name, verifier)
    with pytest.raises(LogKeyError, match="published"):
        LogKey.load(tmp_path / "key", other.verifier)
