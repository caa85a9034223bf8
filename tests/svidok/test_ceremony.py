"""The ceremony: two people or more, keys made here or brought along, and nothing half-made left behind."""

import getpass
import json
from pathlib import Path

import pytest

from keys import ceremony as keys_ceremony
from keys.errors import KeysError
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, run, stop_agent
from keys.keyset import Keyset
from keys.keyset_store import load
from svidok import ceremony
from svidok.identity import Identity
from svidok.place import Place
from tests.keyring import DAY, Reviewer
from tests.svidok.conftest import Held, printed_fingerprints
from tests.svidok.console import Console, owner, stop_agents


def people(names: list[str]) -> list[str]:
    return [word for name in names for word in ("--reviewer", name)]


@pytest.mark.check("G4", "G8")
def test_two_people_and_a_recovery_signer_come_out_of_it(held: Held, fresh_drop: Path) -> None:
    keyset = load(held.keyset).keyset

    recipients = {str(key.fingerprint) for key in keyset.recipients}
    signers = {str(signer.fingerprint): signer.recovery for signer in keyset.signers}
    assert recipients == {held.prints["one"], held.prints["two"]}
    assert signers == {held.prints["one"]: False, held.prints["two"]: False, held.prints["recovery"]: True}
    assert (keyset.serial, keyset.quorum) == (1, 2)
    assert keyset.log == str(Identity.read(Place(fresh_drop).identity).log)
    assert {str(who) for who in load(held.keyset).signatures} == recipients


@pytest.mark.check("G13", "L2")
def test_each_home_is_its_owners_alone_and_no_agent_stays(held: Held) -> None:
    for person in held.prints:
        assert owner(held.home(person))[2] == owner(held.home(person).parent)[2] == 0o700
        assert not (held.home(person) / "S.gpg-agent").exists()
        secrets = list((held.home(person) / "private-keys-v1.d").iterdir())
        assert len(secrets) == (1 if person == "recovery" else 2)
        assert all(b"protected-private-key" in secret.read_bytes() for secret in secrets)
    assert owner(held.keyset)[2] == 0o755


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "needs at least 2 people"),
        (people(["alone"]), "needs at least 2 people"),
        ([*people(["alone"]), "--quorum", "1"], "needs at least 2 people"),
        ([*people(["one", "two"]), "--quorum", "3"], "the quorum lies between 1 and the number of people, 2"),
        ([*people(["one", "two"]), "--quorum", "0"], "the quorum lies between 1 and the number of people, 2"),
        (people(["one", "one"]), "a pseudonym stands there twice"),
        (people(["one", "recovery"]), "a pseudonym has"),
        (people(["one", "keyset"]), "a pseudonym has"),
        (people(["one", "statement"]), "a pseudonym has"),
        (people(["one", "Two"]), "a pseudonym has"),
        (people(["one", "two words"]), "a pseudonym has"),
        (people(["one", "../two"]), "a pseudonym has"),
        (people(["one", ""]), "a pseudonym has"),
        (people(["one", "x" * 33]), "a pseudonym has"),
        (people(["one", "\u043edin"]), "a pseudonym has"),
    ],
)
def test_what_could_not_work_is_refused_before_any_key_is_made(
    words: list[str], says: str, console: Console, held: Held, short: Path
) -> None:
    said = console("keys", "ceremony", short / "refused", *words, "--passphrase-file", held.passphrase)

    assert says in said.refusal
    assert not (short / "refused").exists()


def test_a_folder_that_is_there_is_not_touched(console: Console, held: Held, tmp_path: Path) -> None:
    words = [*people(["one", "two"]), "--passphrase-file", str(held.passphrase)]

    assert console("keys", "ceremony", tmp_path, *words).refusal == f"{tmp_path} exists; nothing was touched"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.check("G8")
def test_what_is_no_good_certificate_ends_it_and_its_secrets_go(
    console: Console, held: Held, short: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.gpg"
    bad.write_bytes(b"no certificate")
    words = [*people(["one"]), "--adopt", str(bad), "--passphrase-file", str(held.passphrase)]

    assert console("keys", "ceremony", short / "half", *words).refusal == "gpg cannot read the certificate"
    assert not (short / "half").exists()


@pytest.mark.check("G7")
def test_a_key_brought_along_as_a_public_part_becomes_a_reviewers(
    console: Console, held: Held, short: Path, bare_drop: Place, tmp_path: Path
) -> None:
    """As from a smartcard, or from a workstation: its owner's secret half never comes near."""
    certificate = tmp_path / "two.gpg"
    certificate.write_bytes(keys_ceremony.export(Fingerprint(held.prints["two"]), Gpg(held.home("two"))))
    words = [*people(["three"]), "--adopt", str(certificate), "--passphrase-file", str(held.passphrase)]

    said = console("keys", "ceremony", short / "adopted", *words)

    made = printed_fingerprints(said)
    keyset: Keyset = load(short / "adopted" / "keyset").keyset
    assert {str(key.fingerprint) for key in keyset.recipients} == {made["three"], held.prints["two"]}
    # The people who are here sign; the recovery signer helps out where one is missing.
    assert {str(who) for who in load(short / "adopted" / "keyset").signatures} == {made["three"], made["recovery"]}
    roots = ["--root", made["three"], "--root", made["recovery"]]
    assert "installed keyset 1" in console("keys", "import", bare_drop.root, short / "adopted" / "keyset", *roots).done


@pytest.mark.check("G7")
def test_when_everybody_brings_a_key_one_of_them_must_still_sign(
    console: Console, held: Held, short: Path, bare_drop: Place, tmp_path: Path
) -> None:
    adopted: list[str] = []
    for person in ("one", "two"):
        certificate = tmp_path / f"{person}.gpg"
        certificate.write_bytes(keys_ceremony.export(Fingerprint(held.prints[person]), Gpg(held.home(person))))
        adopted += ["--adopt", str(certificate)]
    keyset = short / "all-adopted" / "keyset"

    said = console("keys", "ceremony", keyset.parent, *adopted, "--passphrase-file", held.passphrase)
    assert "the keyset has 1 of 2 signatures: svidok keys sign" in said.done
    roots = ["--root", held.prints["one"], "--root", printed_fingerprints(said)["recovery"]]
    assert "2 people must have signed" in console("keys", "import", bare_drop.root, keyset, *roots).refusal
    _ = console("keys", "sign", keyset, *held.owner("one")).done

    assert "installed keyset 1" in console("keys", "import", bare_drop.root, keyset, *roots).done


@pytest.mark.check("L2", "G14")
def test_passphrases_are_asked_for_twice_and_never_shown(
    console: Console, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a terminal; here the terminal is played."""
    typed = iter(["not twice", "the same", "", *(f"typed for {who}" for who in "aabbrr")])
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: next(typed))

    said = console("keys", "ceremony", short / "typed", *people(["a", "b"]))

    assert said.err.count("the two are not the same, or empty") == 2
    assert next(typed, None) is None
    for name, home in (("a", "a"), ("b", "b"), ("r", "recovery")):
        gpg = Gpg(short / "typed" / home / "gnupg", agent=True)
        signed = run(gpg, ("--detach-sign",), b"x", passphrase=f"typed for {name}")
        stop_agent(gpg)
        assert signed.returncode == 0
    assert "typed for" not in console.everything
    assert "the same" not in console.everything.replace("the two are not the same", "")


def test_a_failure_half_way_stops_the_agents(short: Path, reviewers: tuple[Reviewer, Reviewer]) -> None:
    """In its middle, with one key made: an adopted certificate is judged on a day before it was made."""
    wanted = ceremony.Wanted(["one"], [reviewers[0].certificate], 2, None)

    with pytest.raises(KeysError):
        ceremony.hold(short / "early", wanted, lambda _name: "passphrase", DAY.replace(year=DAY.year - 1))

    assert not (short / "early").exists()
    stop_agents(short)


def test_facts_are_json_whatever_the_name(console: Console, held: Held) -> None:
    assert json.loads(console("keys", "status", held.keyset, "--json").done)["quorum"] == 2
