"""`svidok i18n`: who has read a language is written down offline, checked on the server, and decides what is served."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from hardening.clock import SystemClock, today
from questionnaire.approval import MOST_APPROVAL_BYTES, parse_approval
from source_interface.languages import languages
from svidok.approvals import approved_languages
from svidok.place import Place
from svidok.signed_approval import signers_here
from tests.svidok.conftest import Held
from tests.svidok.console import Console, Program, Said, running


def approve(
    console: Console, keys: Held, out: Path, language: str = "uk", person: str = "one", *, more: Sequence[object] = ()
) -> Said:
    who = ("--gnupg", keys.home(person), "--signer", keys.prints[person], "--passphrase-file", keys.passphrase)
    return console("i18n", "approve", out, language, "--native", "Олена", "--survivor", "Kestrel", *who, *more)


def served(drop: Place) -> frozenset[str]:
    """What the source interface is handed at its next start."""
    return approved_languages(drop.approvals, signers_here(drop))


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
    assert served(drop) == frozenset()

    assert "installed: uk" in console("i18n", "install", drop.root, tmp_path / "out").done

    assert served(drop) == {"uk"}
    row = told(console("i18n", "status", drop.root, "--json"))["uk"]
    assert (row["served"], row["stale"]) == (True, False)
    printed = console("i18n", "status", drop.root).done
    assert "Олена (native, " in printed
    assert f"signed by  {keys.prints['one']}\n" in printed
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
    assert served(drop) == frozenset()


def test_what_cannot_be_read_approves_nothing(console: Console, drop: Place) -> None:
    for name, content in (
        ("fr.json", b"{}"),
        ("fr.sig", b""),
        ("ar.json", b"x" * (MOST_APPROVAL_BYTES + 1)),
        ("ar.sig", b""),
    ):
        (drop.approvals / f"catalogue-{name}").write_bytes(content)

    assert served(drop) == frozenset()
    rows = told(console("i18n", "status", drop.root, "--json"))
    assert not rows["fr"]["served"]
    assert rows["fr"]["fault"] == "an approval needs the member 'readers'"
    assert rows["ar"]["fault"] == f"{drop.approvals}/catalogue-ar.json has at most 16384 bytes"


def _other_signature(drop: Place, strange: Path) -> None:
    (drop.approvals / "catalogue-uk.sig").write_bytes((strange / "catalogue-uk.sig").read_bytes())


def _other_approval(drop: Place, strange: Path) -> None:
    for name in ("catalogue-uk.json", "catalogue-uk.sig"):
        (drop.approvals / name).write_bytes((strange / name).read_bytes())


def _no_signature(drop: Place, _strange: Path) -> None:
    (drop.approvals / "catalogue-uk.sig").unlink()


def _no_approval(drop: Place, _strange: Path) -> None:
    (drop.approvals / "catalogue-uk.json").unlink()


def _other_reader(drop: Place, _strange: Path) -> None:
    path = drop.approvals / "catalogue-uk.json"
    path.write_bytes(path.read_bytes().replace(b"Kestrel", b"Sparrow"))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_other_signature, "gpg does not accept the signature"),
        (_other_approval, "gpg does not accept the signature"),
        (_no_signature, "catalogue-uk.sig cannot be read"),
        (_no_approval, "catalogue-uk.json cannot be read"),
        (_other_reader, "gpg does not accept the signature"),
    ],
)
def test_what_lies_in_the_drop_is_not_believed_for_lying_there(
    console: Console, drop: Place, keys: Held, spoil: Callable[[Place, Path], None], says: str
) -> None:
    approve(console, keys, keys.folder / "out")
    approve(console, keys, keys.folder / "out", "fr", "two")
    approve(console, keys, keys.folder / "strange", person="recovery")
    _ = console("i18n", "install", drop.root, keys.folder / "out").done
    assert served(drop) == {"uk", "fr"}
    spoil(drop, keys.folder / "strange")

    row = told(console("i18n", "status", drop.root, "--json"))["uk"]
    printed = console("i18n", "status", drop.root).done
    findings = json.loads(console("doctor", drop.root, "--json").out)["findings"]

    assert served(drop) == {"fr"}
    assert (row["served"], row["stale"], row["approved_by"], row["signed_by"]) == (False, False, [], None)
    assert says in str(row["fault"])
    assert f"fault      {row['fault']}\n" in printed
    assert f"language uk        not served: {row['fault']}\n" in console("status", drop.root).out
    told_by_doctor = f"the approval of the pages in uk does not hold: {row['fault']}"
    assert {"level": "wrong", "check": "languages", "text": told_by_doctor} in findings


def test_what_does_not_hold_is_said_at_the_start(
    console: Console, drop: Place, keys: Held, capsys: pytest.CaptureFixture[str]
) -> None:
    approve(console, keys, keys.folder / "out")
    _ = console("i18n", "install", drop.root, keys.folder / "out").done
    _no_signature(drop, keys.folder)

    assert served(drop) == frozenset()
    fault = f"{drop.approvals}/catalogue-uk.sig cannot be read: it is missing"
    assert f"the approval of the pages in uk does not hold: {fault}" in capsys.readouterr().err


def test_a_drop_that_runs_serves_what_a_signer_has_signed_and_nothing_else(
    console: Console, svidok: Program, drop: Place, keys: Held
) -> None:
    """As the site's own user, who judges with a gpg of her own."""
    approve(console, keys, keys.folder / "out")
    approve(console, keys, keys.folder / "out", "fr")
    _ = console("i18n", "install", drop.root, keys.folder / "out").done
    _no_signature(drop, keys.folder)

    with running(svidok, drop.root, "--listen", "0", "0") as here:
        here.hear("Ctrl-C stops everything")
        with httpx.Client(base_url=f"http://127.0.0.1:{here.port('sources')}", timeout=30) as client:
            codes = [client.get(path).status_code for path in ("/", "/fr/", "/uk/", "/ar/")]

    assert codes == [200, 200, 404, 404]
    fault = f"{drop.approvals}/catalogue-uk.sig cannot be read: it is missing"
    assert f"the approval of the pages in uk does not hold: {fault}" in here.said


def test_a_signer_who_leaves_the_keyset_takes_her_signatures_along(
    console: Console, drop: Place, keys: Held, tmp_path: Path
) -> None:
    approve(console, keys, tmp_path / "out")
    _ = console("i18n", "install", drop.root, tmp_path / "out").done
    assert served(drop) == {"uk"}

    _ = console("keys", "withdraw", keys.keyset, *keys.owner("one")).done
    console("keys", "import", drop.root, keys.keyset)

    assert served(drop) == frozenset()
    assert console("i18n", "status", drop.root).code == 0


def test_a_reading_counts_from_its_day_on(console: Console, drop: Place, keys: Held, tmp_path: Path) -> None:
    """Judged by that day: what was read stays read when the signer's key has ended, and not before it began."""
    today_ = today(SystemClock())
    tomorrow, before = today_ + timedelta(days=1), today_ - timedelta(days=1000)
    approve(console, keys, tmp_path / "now")
    _ = approve(console, keys, tmp_path / "tomorrow", more=("--date", tomorrow)).done
    _ = console("i18n", "install", drop.root, tmp_path / "now").done
    later = replace(found, day=today_ + timedelta(days=3650)) if (found := signers_here(drop)) else None

    assert approved_languages(drop.approvals, later) == {"uk"}
    assert "a day that has not come" in console("i18n", "install", drop.root, tmp_path / "tomorrow").refusal
    assert approve(console, keys, tmp_path / "before", more=("--date", before)).refusal == "gpg did not sign"


def test_without_a_keyset_nobody_has_approved_anything(
    console: Console, drop: Place, bare_drop: Place, keys: Held, tmp_path: Path
) -> None:
    approve(console, keys, tmp_path / "out")
    _ = console("i18n", "install", drop.root, tmp_path / "out").done
    refused = console("i18n", "install", bare_drop.root, tmp_path / "out").refusal
    shutil.copytree(drop.approvals, bare_drop.approvals, dirs_exist_ok=True)

    assert "there is no keyset yet" in refused
    assert served(bare_drop) == frozenset()
    assert "language uk        not served: there is no keyset to judge it by\n" in console("status", bare_drop.root).out


def _forged(folder: Path) -> None:
    path = folder / "catalogue-uk.json"
    path.write_bytes(path.read_bytes().replace(b"Kestrel", b"Sparrow"))


def _stale(folder: Path) -> None:
    (folder / "catalogue-fr.json").write_bytes((folder / "catalogue-uk.json").read_bytes())


def _unsigned(folder: Path) -> None:
    (folder / "catalogue-uk.sig").unlink()


def _alone(folder: Path) -> None:
    (folder / "catalogue-uk.json").unlink()


def _unknown(folder: Path) -> None:
    for ending in (".json", ".sig"):
        (folder / "catalogue-uk").with_suffix(ending).rename((folder / "catalogue-xx").with_suffix(ending))


def _moved(folder: Path) -> None:
    for ending in (".json", ".sig"):
        (folder / "catalogue-uk").with_suffix(ending).rename((folder / "catalogue-fr").with_suffix(ending))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_forged, "gpg does not accept the signature"),
        (_stale, "catalogue-fr.sig cannot be read"),
        (_unsigned, "catalogue-uk.sig cannot be read"),
        (_alone, "there is no approval"),
        (_unknown, "catalogue-xx.json approves a language that this software does not speak"),
        (_moved, "the approval for fr is about other words than this software says"),
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
