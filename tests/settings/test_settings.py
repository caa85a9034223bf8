"""The settings file is read whole or refused whole."""

from pathlib import Path

import pytest

from settings import Drop, Limits, Settings, SettingsError, describe, load, parse, write


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    settings = Settings(drop=Drop(name='Захист "x" \\', evaluation=True), limits=Limits(files_per_post=3))

    write(settings, tmp_path / "svidok.toml")

    assert load(tmp_path / "svidok.toml") == settings


def test_an_empty_file_means_the_defaults() -> None:
    assert parse(b"") == Settings()


@pytest.mark.check("C14")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"[drop]\nnames = 'x'", "unknown name in [drop]: names"),
        (b"[dorp]\nname = 'x'", "unknown section: dorp"),
        (b"drop = 3", "drop is a section"),
        (b"[limits]\nfiles_per_post = true", "limits.files_per_post is a int"),
        (b"[limits]\nfiles_per_post = 0", "limits.files_per_post is at least 1, not 0"),
        (b"[drop]\nreply_days = 366", "drop.reply_days is at most 365, not 366"),
        (b"[limits]\nfiles_per_post = 1000", "limits.files_per_post is at most 100"),
        (b"[argon]\nmemory_kib = 65536", "argon.memory_kib is at least 131072"),
        (b"[argon]\npasses = 1", "argon.passes is at least 3"),
        (b'[drop]\nname = "a\\u001b"', "control character"),
        (b"[drop", "not a TOML file"),
        (b"\xff", "not a TOML file"),
    ],
)
def test_a_wrong_line_is_refused_by_name(text: bytes, says: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(text)

    assert says in str(refused.value)


def test_a_missing_or_enormous_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"#" * 70_000)

    for name in ("missing", "large"):
        with pytest.raises(SettingsError):
            load(tmp_path / name)


def test_every_setting_is_documented() -> None:
    """docs/settings.md is made by `svidok.commands.settings`; it may not fall behind."""
    page = Path(__file__).parents[2] / "docs" / "settings.md"

    assert page.read_text(encoding="utf-8") == describe()
