"""A real drop asks only what people have read and a signer has signed, in the languages in which they have read it."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hardening.clock import SystemClock, today
from hardening.files import private_folder
from keys.errors import KeysError
from keys.gpg import Gpg
from keys.keyset_store import load
from questionnaire.load import format_form, parse_form
from questionnaire.served import Questionnaire, packaged
from svidok.identity import Identity
from svidok.place import Place
from svidok.serving import source
from svidok.signed_approval import signers_of
from tests.questionnaire.tables import COMPILED
from tests.svidok.conftest import Held
from tests.svidok.console import Console, Said

READERS = ("--native", "Olena", "--survivor", "heron")
Sign = Callable[..., Said]


@pytest.fixture
def sign(console: Console, held: Held) -> Sign:
    """Approve a form as somebody who signs for the drop."""

    def signed(
        form: Path, out: Path, language: str = "uk", person: str = "one", readers: tuple[str, ...] = READERS
    ) -> Said:
        who = ("--gnupg", held.home(person), "--signer", held.prints[person], "--passphrase-file", held.passphrase)
        return console("form", "sign", form, out, "--language", language, *readers, *who)

    return signed


def _served(place: Place, judge: Path) -> Questionnaire | None:
    """What the source interface is handed at its next start."""
    signers = signers_of(place, Gpg(private_folder(judge)), today(SystemClock()))
    return source._questionnaire(place, Identity.read(place.identity), signers)


def _as_evaluation(place: Place) -> None:
    replace(Identity.read(place.identity), evaluation=True).write(place.identity)


def test_an_evaluation_knows_its_signers_and_starts_without_them(drop: Place, tmp_path: Path) -> None:
    real, gpg = Identity.read(drop.identity), Gpg(private_folder(tmp_path / "judge"))
    trying, day = replace(real, evaluation=True), today(SystemClock())

    signers = source._signers(drop, trying, gpg, day)
    assert signers is not None
    assert signers.keyset == load(drop.keyset).keyset

    (drop.keyset / "keyset.json").write_bytes(b"damaged")
    assert source._signers(drop, trying, gpg, day) is None
    with pytest.raises(KeysError):
        source._signers(drop, real, gpg, day)


@pytest.mark.check("G7")
def test_what_was_signed_is_asked_in_the_languages_that_were_read(
    console: Console, drop: Place, sign: Sign, tmp_path: Path
) -> None:
    before = _served(drop, tmp_path / "judge")
    _ = sign(COMPILED, tmp_path / "out").done
    _ = sign(COMPILED, tmp_path / "out", "ar", "two", (*READERS, "--lawyer", "Ірина")).done
    installed = console("form", "install", drop.root, tmp_path / "out").done
    served = _served(drop, tmp_path / "judge")
    told = console("form", "status", drop.root).done

    assert before is None
    assert installed == "example 1 is asked in ar, uk from the next start on\n"
    assert served == Questionnaire(parse_form(COMPILED.read_bytes()), frozenset({"uk", "ar"}), draft=False)
    assert "  en: not approved\n" in told
    assert f"  uk: by {today(SystemClock())} it had been read by Olena (native), heron (survivor); signed by " in told
    assert "Ірина (lawyer)" in told


@pytest.mark.check("G7")
def test_an_unsigned_form_is_neither_installed_nor_asked(console: Console, drop: Place, tmp_path: Path) -> None:
    unsigned = tmp_path / "unsigned"
    (unsigned / "approvals").mkdir(parents=True)
    (unsigned / "form.json").write_bytes(COMPILED.read_bytes())

    refused = console("form", "install", drop.root, unsigned).refusal
    unsigned.rename(drop.forms)

    assert "nobody has approved this form" in refused
    assert _served(drop, tmp_path / "judge") is None
    assert console("form", "status", drop.root).code == 1


@pytest.mark.check("G7")
def test_a_form_that_was_put_beside_another_ones_signatures_is_not_asked(
    console: Console, drop: Place, sign: Sign, tmp_path: Path
) -> None:
    _ = sign(COMPILED, tmp_path / "out").done
    _ = console("form", "install", drop.root, tmp_path / "out").done
    form = parse_form(COMPILED.read_bytes())
    (drop.forms / "form.json").write_bytes(format_form(replace(form, title={"en": "Another"})))

    assert _served(drop, tmp_path / "judge") is None
    assert "uk: not served: the approval for uk is about another form" in console("form", "status", drop.root).out
    assert "about another form" in console("form", "install", drop.root, drop.forms).refusal


@pytest.mark.check("G7")
@pytest.mark.parametrize("what", ["signature", "approval", "language", "nothing"])
def test_one_byte_of_an_approval_undoes_its_language_alone(
    console: Console, drop: Place, sign: Sign, tmp_path: Path, what: str
) -> None:
    for language in ("uk", "ar"):
        _ = sign(COMPILED, tmp_path / "out", language).done
    _ = console("form", "install", drop.root, tmp_path / "out").done
    folder = drop.forms / "approvals"
    match what:
        case "signature":
            (folder / "form-example-uk.sig").write_bytes((folder / "form-example-ar.sig").read_bytes())
        case "approval":
            (folder / "form-example-uk.json").write_bytes(
                (folder / "form-example-uk.json").read_bytes().replace(b"Olena", b"Alena")
            )
        case "nothing":
            (folder / "form-example-uk.sig").unlink()
        case _:
            for suffix in ("json", "sig"):
                (folder / f"form-example-uk.{suffix}").write_bytes((folder / f"form-example-ar.{suffix}").read_bytes())

    served = _served(drop, tmp_path / "judge")
    findings = json.loads(console("doctor", drop.root, "--json").out)["findings"]

    assert served is not None
    assert served.approved == {"ar"}
    (told,) = [one for one in findings if one["check"] == "form"]
    assert told["level"] == "wrong"
    assert told["text"].startswith("example 1 is not asked in uk: ")
    assert console("form", "install", drop.root, drop.forms).code == 1


@pytest.mark.check("G7")
def test_a_strangers_signature_approves_nothing(
    console: Console, drop: Place, bare_drop: Place, strangers: Path, tmp_path: Path
) -> None:
    assert console("form", "install", drop.root, strangers).code == 1
    assert not drop.forms.exists()
    assert "there is no keyset yet" in console("form", "install", bare_drop.root, strangers).refusal
    assert _served(bare_drop, tmp_path / "judge") is None


@pytest.mark.check("G7")
def test_recovery_speaks_about_keysets_alone(console: Console, drop: Place, sign: Sign, tmp_path: Path) -> None:
    _ = sign(COMPILED, tmp_path / "out", person="recovery").done

    assert console("form", "install", drop.root, tmp_path / "out").code == 1
    assert not drop.forms.exists()


@pytest.fixture
def strangers(console: Console, short: Path, held: Held, tmp_path: Path) -> Path:
    """A form that was signed with a key that is in no keyset."""
    people = ("--reviewer", "eve", "--reviewer", "mallory", "--passphrase-file", held.passphrase)
    told = console("keys", "ceremony", short / "strangers", *people).done
    key = next(line.split()[1] for line in told.splitlines() if line.startswith("eve"))
    who = ("--gnupg", short / "strangers" / "eve" / "gnupg", "--signer", key, "--passphrase-file", held.passphrase)
    _ = console("form", "sign", COMPILED, tmp_path / "out", "--language", "uk", *READERS, *who).done
    return tmp_path / "out"


def test_a_reader_of_each_kind_is_needed(console: Console, sign: Sign, tmp_path: Path) -> None:
    assert sign(COMPILED, tmp_path / "out", readers=("--native", "Olena")).code == 2
    assert sign(COMPILED, tmp_path / "out", readers=("--native", "Olena", "--survivor", " ")).code == 1
    assert sign(COMPILED, tmp_path / "out", readers=("--native", "heron", "--survivor", "heron")).code == 1
    assert sign(COMPILED, tmp_path / "out", "de").code == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_holds_one_form(sign: Sign, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_bytes(format_form(replace(parse_form(COMPILED.read_bytes()), version="2")))
    _ = sign(COMPILED, tmp_path / "out").done

    assert "holds another form" in sign(other, tmp_path / "out", "ar").refusal


def test_other_words_need_another_version(console: Console, drop: Place, sign: Sign, tmp_path: Path) -> None:
    """Reports name the version that they answered; it must mean the same for ever."""
    form = parse_form(COMPILED.read_bytes())
    silent, said = tmp_path / "silent.json", tmp_path / "said.json"
    silent.write_bytes(format_form(replace(form, title={"en": "Another"})))
    said.write_bytes(format_form(replace(form, title={"en": "Another"}, version="2")))
    for path in (COMPILED, silent, said):
        _ = sign(path, tmp_path / path.stem).done
    _ = console("form", "install", drop.root, tmp_path / "example").done

    for words in ((), ("--older",)):
        assert "raise the version" in console("form", "install", drop.root, tmp_path / "silent", *words).refusal
    assert "example 2 is asked in uk" in console("form", "install", drop.root, tmp_path / "said").done
    assert _served(drop, tmp_path / "judge") is not None


@pytest.fixture
def versions(sign: Sign, tmp_path: Path) -> Callable[[str], Path]:
    """The folder of an approved form of that version, each with other words."""

    def version(name: str) -> Path:
        form = replace(parse_form(COMPILED.read_bytes()), version=name, title={"en": f"Version {name}"})
        (tmp_path / f"{name}.json").write_bytes(format_form(form))
        _ = sign(tmp_path / f"{name}.json", tmp_path / name).done
        return tmp_path / name

    return version


@pytest.mark.check("G7")
@pytest.mark.parametrize(("before", "now"), [("10", "9"), ("1.10", "1.9"), ("2", "02"), ("2", "draft"), ("draft", "3")])
def test_an_earlier_version_is_installed_only_by_whoever_says_so(
    console: Console, drop: Place, versions: Callable[[str], Path], before: str, now: str
) -> None:
    """Its signatures hold for ever, so whoever kept it could bring back a question that was taken away."""
    _ = console("form", "install", drop.root, versions(before)).done
    earlier = versions(now)

    refused = console("form", "install", drop.root, earlier).refusal
    kept = parse_form((drop.forms / "form.json").read_bytes()).version
    installed = console("form", "install", drop.root, earlier, "--older").done

    assert refused == (
        f"example {now} is not newer than {before}, which is installed: --older installs it all the same"
    )
    assert kept == before
    assert installed == f"example {now} is asked in uk from the next start on\n"


def test_a_newer_version_and_the_same_one_need_no_word(
    console: Console, drop: Place, versions: Callable[[str], Path]
) -> None:
    for name in ("1.9", "1.10", "1.10", "2", "2.0", "2026.03"):
        assert f"example {name} is asked" in console("form", "install", drop.root, versions(name)).done


@pytest.mark.parametrize("missing", ["form.json", "approvals/form-example-uk.sig"])
def test_a_folder_that_is_not_whole_is_refused(
    console: Console, drop: Place, sign: Sign, tmp_path: Path, missing: str
) -> None:
    _ = sign(COMPILED, tmp_path / "out").done
    (tmp_path / "out" / missing).unlink()

    refused = console("form", "install", drop.root, tmp_path / "out").refusal

    assert refused == f"{tmp_path / 'out' / missing} cannot be read: it is missing"
    assert not drop.forms.exists()


def test_what_is_no_folder_of_a_signed_form_is_named(console: Console, drop: Place, tmp_path: Path) -> None:
    none = tmp_path / "none"

    assert (
        console("form", "install", drop.root, COMPILED).refusal
        == f"{COMPILED}/form.json cannot be read: {COMPILED} is not a folder"
    )
    assert (
        console("form", "install", drop.root, none).refusal == f"{none}/form.json cannot be read: its folder is missing"
    )


def test_an_evaluation_drop_asks_drafts_in_every_language(
    console: Console, bare_drop: Place, sign: Sign, tmp_path: Path
) -> None:
    _as_evaluation(bare_drop)
    shipped = _served(bare_drop, tmp_path / "judge")
    told = console("form", "status", bare_drop.root).done
    _ = sign(COMPILED, tmp_path / "out").done
    _ = console("form", "install", bare_drop.root, tmp_path / "out").done
    own = _served(bare_drop, tmp_path / "judge")

    form = packaged()
    assert form is not None
    assert shipped == Questionnaire(form, frozenset({"en", "uk", "fr", "ar"}), draft=True)
    assert "as a draft: nobody has approved it" in told
    assert own == Questionnaire(parse_form(COMPILED.read_bytes()), frozenset({"en", "uk", "ar"}), draft=True)


def test_an_install_that_was_killed_between_two_renames_is_found_again(
    console: Console, drop: Place, sign: Sign, tmp_path: Path
) -> None:
    _ = sign(COMPILED, tmp_path / "out").done
    _ = console("form", "install", drop.root, tmp_path / "out").done
    drop.forms.rename(drop.forms.with_name(".forms.old"))
    between = _served(drop, tmp_path / "judge")

    _ = console("form", "install", drop.root, tmp_path / "out").done

    assert between is not None
    assert _served(drop, tmp_path / "judge") == between
    assert sorted(path.name for path in drop.root.iterdir() if "forms" in path.name) == ["forms"]


def _pages(pdf: Path) -> list[str]:
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], check=True, capture_output=True, text=True).stdout
    return [page.replace("\u200e", "") for page in text.split("\f") if page.strip()]


@pytest.mark.check("G7")
def test_paper_is_no_draft_in_the_languages_whose_approvals_hold(
    console: Console, held: Held, sign: Sign, tmp_path: Path
) -> None:
    for language, person in (("uk", "one"), ("en", "two"), ("ar", "recovery")):
        _ = sign(COMPILED, tmp_path / "out", language, person).done
    gone = tmp_path / "out" / "approvals" / "form-example-en.sig"
    gone.unlink()
    by = ("--approved", tmp_path / "out", "--keyset", held.keyset)

    said = console("form", "print", COMPILED, tmp_path / "form.pdf", *by).done

    day = today(SystemClock())
    pages = _pages(tmp_path / "form.pdf")
    assert f"  uk: read until {day}\n" in said
    assert f"  en: a draft: {gone} cannot be read: it is missing\n" in said
    assert "  ar: a draft: gpg does not accept the signature\n" in said
    assert "judged by keyset 1, " in said
    assert [sum(word in page for page in pages) for word in ("DRAFT", "ЧЕРНЕТКА")] == [1, 0]
    assert all((f"Прочитано і схвалено: {day}" in page) == ("Сторінка" in page) for page in pages)


def test_paper_is_a_draft_without_a_keyset_to_judge_by(
    console: Console, held: Held, sign: Sign, tmp_path: Path
) -> None:
    other = tmp_path / "other.json"
    other.write_bytes(format_form(replace(parse_form(COMPILED.read_bytes()), version="2")))
    _ = sign(COMPILED, tmp_path / "out").done
    approved, keyset = ("--approved", tmp_path / "out"), ("--keyset", held.keyset)

    said = console("form", "print", COMPILED, tmp_path / "form.pdf", "--language", "uk").done

    assert said.endswith("  uk: a draft: not approved\n")
    assert "ЧЕРНЕТКА" in _pages(tmp_path / "form.pdf")[0]
    for words in (approved, keyset):
        refused = console("form", "print", COMPILED, tmp_path / "none.pdf", *words).refusal
        assert refused == "--approved and --keyset go together: the one is judged by the other"
    refused = console("form", "print", other, tmp_path / "none.pdf", *approved, *keyset).refusal
    assert "holds another form: example 1, SHA-256 " in refused
    assert not (tmp_path / "none.pdf").exists()
