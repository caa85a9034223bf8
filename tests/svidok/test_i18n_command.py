"""`svidok i18n`: who has read a language is written down offline, checked on the server, and decides what is served."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from questionnaire.approval import parse_approval
from source_interface.languages import languages
from svidok.approvals import approved_languages
from svidok.place import Place
from tests.svidok.conftest import Held
from tests.svidok.console import Console, Said


def approve(console: Console, keys: Held, out: Path, language: str = "uk", person: str = "one") -> Said:
    who = ("--gnupg", keys.home(person), "--signer", keys.prints[person], "--passphrase-file", keys.passphrase)
    return console("i18n", "approve", out, language, "--native", "Олена", "--survivor", "Kestrel", *who)


def told(said: Said) -> dict[str, dict[str, object]]:
    return {row["language"]: row for row in json.loads(said.done)}


def test_every_language_is_told_of_with_and_without_a_drop(console: Console, drop: Place) -> None:
    for said in (console("i18n", "status", "--json"), console("i18n", "status", drop.root, "--json")):
        rows = told(said)

        assert set(rows) == {"en", "uk", "fr", "ar"}
        assert {row["fuzzy"] for row in rows.values()} == {0}
        assert all(row["translated"] == row["messages"] for row in rows.values())
        assert {language.code: language.sha256 for language in languages()} == {
            code: row["sha256"] for code, row in rows.items()
        }
        assert [code for code, row in rows.items() if row["served"]] == ["en"]
        assert all(row["approved_by"] == [] and not row["stale"] for row in rows.values())
    assert "served although nobody has approved its words" in console("i18n", "status").done


@pytest.mark.check("B11")
def test_what_a_reviewer_has_signed_is_installed_and_then_served(
    console: Console, drop: Place, keys: Held, tmp_path: Path
) -> None:
    said = approve(console, keys, tmp_path / "out")
    path = tmp_path / "out" / "catalogue-uk.json"
    assert str(path) in said.done
    assert [(one.name, one.role) for one in parse_approval(path.read_bytes()).readers] == [
        ("Олена", "native"),
        ("Kestrel", "survivor"),
    ]
    assert approved_languages(drop.approvals) == frozenset()

    assert "installed: uk" in console("i18n", "install", drop.root, tmp_path / "out").done

    assert approved_languages(drop.approvals) == {"uk"}
    row = told(console("i18n", "status", drop.root, "--json"))["uk"]
    assert (row["served"], row["stale"]) == (True, False)
    assert "Олена (native, " in console("i18n", "status", drop.root).done
    assert "language uk        served\n" in console("status", drop.root).out


def test_other_words_have_to_be_read_anew(console: Console, drop: Place, keys: Held, tmp_path: Path) -> None:
    approve(console, keys, tmp_path / "out")
    console("i18n", "install", drop.root, tmp_path / "out")
    installed = drop.approvals / "catalogue-uk.json"
    sha256 = next(language.sha256 for language in languages() if language.code == "uk")
    installed.write_bytes(installed.read_bytes().replace(sha256.encode(), b"0" * 64))

    row = told(console("i18n", "status", drop.root, "--json"))["uk"]

    assert (row["served"], row["stale"]) == (False, True)
    assert "(stale: words changed)" in console("i18n", "status", drop.root).done
    assert approved_languages(drop.approvals) == frozenset()


def test_what_cannot_be_read_approves_nothing(console: Console, drop: Place) -> None:
    (drop.approvals / "catalogue-fr.json").write_bytes(b"{}")

    assert approved_languages(drop.approvals) == frozenset()
    assert not told(console("i18n", "status", drop.root, "--json"))["fr"]["served"]


def _forged(folder: Path) -> None:
    path = folder / "catalogue-uk.json"
    path.write_bytes(path.read_bytes().replace(b"Kestrel", b"Sparrow"))


def _stale(folder: Path) -> None:
    (folder / "catalogue-fr.json").write_bytes((folder / "catalogue-uk.json").read_bytes())


def _unsigned(folder: Path) -> None:
    (folder / "catalogue-uk.sig").unlink()


def _alone(folder: Path) -> None:
    (folder / "catalogue-uk.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_forged, "gpg does not accept the signature"),
        (_stale, "catalogue-fr.sig cannot be read"),
        (_unsigned, "catalogue-uk.sig cannot be read"),
        (_alone, "there is no approval"),
    ],
)
def test_what_was_tampered_with_is_not_installed(
    console: Console, drop: Place, keys: Held, spoil: Callable[[Path], None], says: str
) -> None:
    out = keys.folder / "out"
    approve(console, keys, out)
    spoil(out)

    assert says in console("i18n", "install", drop.root, out).refusal

    assert list(drop.approvals.iterdir()) == []


def test_the_recovery_key_speaks_of_no_words(console: Console, drop: Place, keys: Held, tmp_path: Path) -> None:
    approve(console, keys, tmp_path / "out", person="recovery")

    assert "gpg does not accept" in console("i18n", "install", drop.root, tmp_path / "out").refusal


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("xx", "--native", "a", "--survivor", "b"), "there is no catalogue of 'xx'"),
        (("uk", "--native", "a", "--survivor", "a"), "each role needs another person"),
    ],
)
def test_what_cannot_be_meant_is_not_signed(
    console: Console, keys: Held, tmp_path: Path, words: Sequence[str], says: str
) -> None:
    who = ("--gnupg", keys.home("one"), "--signer", keys.prints["one"], "--passphrase-file", keys.passphrase)

    assert says in console("i18n", "approve", tmp_path / "out", *words, *who).refusal

    assert not (tmp_path / "out").exists()
