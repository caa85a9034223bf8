"""The keys: a keyset comes to the server only with the right signatures, and a failure leaves the one that is there."""

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hardening.clock import SystemClock, today
from hardening.files import private_folder
from keys.ceremony import sign_keyset
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, run, stop_agent
from keys.keyset import Keyset, usable
from keys.keyset_store import load, store
from keys.keyset_trust import SignedKeyset
from keys.recipients import write_recipients
from svidok.place import Place
from tests.drop import Drop, words
from tests.svidok.conftest import Held
from tests.svidok.console import PASSPHRASE, Console, tree

OTHER = "A" * 40


def signatures(keyset: Keyset, keys: Held, *people: str) -> SignedKeyset:
    """Have *people* sign *keyset*, as `svidok keys sign` does."""
    made: dict[Fingerprint, bytes] = {}
    for person in people:
        gpg = Gpg(keys.home(person), agent=True)
        made[Fingerprint(keys.prints[person])] = sign_keyset(keyset, Fingerprint(keys.prints[person]), gpg, PASSPHRASE)
        stop_agent(gpg)
    return SignedKeyset(keyset, made)


def sealed_to(keyset: Keyset, folder: Path) -> bytes:
    """Seal something as the server would today."""
    day = today(SystemClock())
    judge = Gpg(private_folder(folder))
    recipients = write_recipients(keyset, day, private_folder(folder / "recipients"), judge)
    return Drop(folder, keyset, recipients, judge, day=day).seal(words("what a source wrote")).path.read_bytes()


def opened_by(ciphertext: bytes, keys: Held) -> str:
    """Open it with the first person's key; tell with which subkey it was."""
    gpg = Gpg(keys.home("one"), agent=True)
    outcome = run(gpg, ("--decrypt",), ciphertext, passphrase=PASSPHRASE)
    stop_agent(gpg)
    # With several subkeys and hidden recipients gpg ends with 2 for every key that it tried in vain.
    assert outcome.said("DECRYPTION_OKAY")
    return outcome.said("DECRYPTION_KEY")[0].arguments[0]


def day_after(keyset: Keyset) -> Keyset:
    """The next keyset, with the same keys in it."""
    return keyset.succeeded(keyset.created, keyset.recipients, keyset.signers)


def imported(console: Console, place: Place, keys: Held, *more: str) -> str:
    return console("keys", "import", place.root, keys.keyset, *more).refusal


@pytest.mark.check("G4", "G7")
def test_the_first_import_takes_two_typed_fingerprints(console: Console, bare_drop: Place, held: Held) -> None:
    said = console("keys", "import", bare_drop.root, held.keyset, *held.roots())

    installed = load(bare_drop.keyset).keyset
    assert installed.hash in said.done
    assert all(f"seals to {held.prints[who]}" in said.out for who in ("one", "two"))
    assert {str(key.fingerprint) for key in usable(installed, installed.created)} == {
        held.prints["one"],
        held.prints["two"],
    }


@pytest.mark.check("G4", "G7")
@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ([], "needs --root twice"),
        (["one"], "needs --root twice"),
        (["one", "one"], "needs --root twice"),
        (["one", "recovery"], "2 people must have signed the keyset, not 1"),
        (["one", OTHER], "a fingerprint that was typed is not among the keyset's signers"),
        (["one", "two", OTHER], "a fingerprint that was typed is not among the keyset's signers"),
        (["one", "two's last half"], "a fingerprint has 40 or 64 hexadecimal digits"),
        (["one", "two@example.org"], "a fingerprint has 40 or 64 hexadecimal digits"),
    ],
)
def test_other_fingerprints_install_nothing(
    typed: list[str], says: str, console: Console, bare_drop: Place, held: Held
) -> None:
    prints = {**held.prints, "two's last half": held.prints["two"][20:]}
    words = [word for who in typed for word in ("--root", prints.get(who, who))]

    assert says in imported(console, bare_drop, held, *words)

    assert list(bare_drop.keys.iterdir()) == []


@pytest.mark.check("G7")
def test_a_keyset_of_another_drop_is_not_installed(console: Console, bare_drop: Place, held: Held, short: Path) -> None:
    _ = console("init", short / "other-log").done

    other = Place(short / "other-log")
    assert "made for another drop" in imported(console, other, held, *held.roots())
    assert not other.keyset.exists()


def test_only_a_drop_takes_a_keyset(console: Console, tmp_path: Path, held: Held) -> None:
    assert "cannot read who this drop is" in imported(console, Place(tmp_path), held, *held.roots())
    assert list(tmp_path.iterdir()) == []


def test_the_keyset_that_is_there_may_come_again(console: Console, drop: Place, held: Held) -> None:
    before = tree(drop.keys)

    assert "installed keyset 1" in console("keys", "import", drop.root, held.keyset).done

    assert tree(drop.keys) == before


@pytest.mark.check("G7")
@pytest.mark.parametrize("people", [("one", "two"), ("one", "recovery"), ("two", "recovery")])
def test_a_change_takes_two_signers_of_the_one_before_and_recovery_counts(
    people: tuple[str, str], console: Console, drop: Place, keys: Held
) -> None:
    store(signatures(day_after(load(keys.keyset).keyset), keys, *people), keys.keyset)

    assert "installed keyset 2" in console("keys", "import", drop.root, keys.keyset).done
    assert load(drop.keyset).keyset.serial == 2


@pytest.mark.check("G7", "J1")
def test_an_import_that_was_killed_between_two_renames_is_no_first_one(
    console: Console, drop: Place, keys: Held
) -> None:
    """It would take any keyset with the serial 1, and never again the one that has to follow."""
    first = load(keys.keyset).keyset
    cut_short = drop.keyset.with_name(f".{drop.keyset.name}.old")
    drop.keyset.rename(cut_short)
    store(signatures(replace(first, quorum=1), keys, "one", "two"), keys.keyset)
    assert "keyset 2 must come next, not 1" in imported(console, drop, keys, *keys.roots())
    assert first.hash in console("keys", "status", drop.root, "--json").out

    store(signatures(day_after(first), keys, "one", "two"), keys.keyset)

    assert "installed keyset 2" in console("keys", "import", drop.root, keys.keyset).done
    assert load(drop.keyset).keyset.serial == 2
    assert not cut_short.exists()


@pytest.mark.check("G7")
def test_an_owner_who_withdraws_cannot_lead_the_keyset_into_the_future(
    console: Console, drop: Place, keys: Held
) -> None:
    """All that follows would have to be younger, and signed with keys that have ended by then: nobody could."""
    first = load(keys.keyset).keyset
    owner = next(key for key in first.recipients if str(key.fingerprint) == keys.prints["one"])
    store(signatures(first.without(owner.fingerprint, owner.not_after), keys, "one"), keys.keyset)
    before = tree(drop.keys)

    assert f"the keyset is dated {owner.not_after}, and by this machine's clock" in imported(console, drop, keys)

    assert tree(drop.keys) == before


@pytest.mark.check("G7")
def test_whatever_may_not_follow_leaves_what_is_installed(console: Console, drop: Place, keys: Held) -> None:
    """Each is refused with its own reason; the keyset that reports are sealed to stays as it was."""
    first = load(keys.keyset).keyset
    following = day_after(first)
    one, two = (replace(key) for key in first.recipients)
    swapped = replace(following, recipients=(replace(one, certificate=two.certificate), two))
    brought = {
        "2 people must have signed": SignedKeyset(following, {}),
        "2 people must have signed the keyset, not 1": signatures(following, keys, "one"),
        "keyset 2 must come next, not 3": signatures(day_after(following), keys, "one", "two"),
        "keyset 2 must come next, not 1": signatures(replace(first, quorum=1), keys, "one", "two"),
        "the keyset follows another one than ours": signatures(
            replace(following, previous="0" * 64), keys, "one", "two"
        ),
        "the keyset is older": SignedKeyset(replace(following, created=first.created - timedelta(days=1)), {}),
        "the certificate": signatures(swapped, keys, "one", "two"),
        "signature": SignedKeyset(following, signatures(first, keys, "one", "two").signatures),
    }
    before = tree(drop.keys)

    for says, signed in brought.items():
        store(signed, keys.keyset)
        assert says in imported(console, drop, keys), says
        assert tree(drop.keys) == before, says


@pytest.mark.check("G7")
def test_a_strangers_signature_and_bytes_behind_the_end_are_refused(console: Console, drop: Place, keys: Held) -> None:
    following = signatures(day_after(load(keys.keyset).keyset), keys, "one", "two")
    store(SignedKeyset(following.keyset, {**following.signatures, Fingerprint(OTHER): b"x"}), keys.keyset)
    assert "signed by somebody who may not" in imported(console, drop, keys)

    store(following, keys.keyset)
    with (keys.keyset / "keyset.json").open("ab") as file:
        file.write(b" ")
    assert "malformed" in imported(console, drop, keys)

    shutil.rmtree(keys.keyset)
    assert imported(console, drop, keys) == f"there is no keyset in {keys.keyset}"
    assert load(drop.keyset).keyset.serial == 1


@pytest.mark.check("G7", "B7")
def test_a_statement_comes_with_the_keyset_or_is_refused(console: Console, bare_drop: Place, keys: Held) -> None:
    statement = keys.folder / "statement"
    said = console("keys", "import", bare_drop.root, keys.keyset, "--statement", statement, *keys.roots())
    assert "installed keyset 1" in said.done
    assert tree(bare_drop.statement) == tree(statement)

    text = statement / "statement.txt"
    text.write_text(text.read_text("utf-8").replace("drop", "trap"), "utf-8")

    assert "keyset 1 is installed, the statement is not" in imported(
        console, bare_drop, keys, "--statement", str(statement)
    )
    assert tree(bare_drop.statement) != tree(statement)


@pytest.mark.check("G7", "G9")
def test_rotating_takes_two_and_leaves_the_old_subkey_to_open_with(
    console: Console, drop: Place, keys: Held, tmp_path: Path
) -> None:
    """On the day on which the key was made, too: then both subkeys are equally old."""
    before = load(keys.keyset).keyset

    said = console("keys", "rotate", keys.keyset, *keys.owner("one"))
    assert "signed by one" in said.done
    assert "2 people must have signed the keyset, not 1" in imported(console, drop, keys)
    assert "keyset 2 has 2 signatures" in console("keys", "sign", keys.keyset, *keys.owner("two")).done
    assert "installed keyset 2" in console("keys", "import", drop.root, keys.keyset).done

    after = load(drop.keyset).keyset
    subkeys = {str(key.fingerprint): key.subkey for key in after.recipients}
    were = {str(key.fingerprint): key.subkey for key in before.recipients}
    assert subkeys[keys.prints["one"]] != were[keys.prints["one"]]
    assert subkeys[keys.prints["two"]] == were[keys.prints["two"]]
    assert after.previous == before.hash
    assert opened_by(sealed_to(before, tmp_path / "before"), keys) == str(were[keys.prints["one"]])
    assert opened_by(sealed_to(after, tmp_path / "after"), keys) == str(subkeys[keys.prints["one"]])


@pytest.mark.check("G6", "G7")
def test_an_owner_withdraws_alone_for_ever_and_the_drop_closes(console: Console, drop: Place, keys: Held) -> None:
    assert (
        f"no longer seals to {keys.prints['two']}" in console("keys", "withdraw", keys.keyset, *keys.owner("two")).done
    )

    said = console("keys", "import", drop.root, keys.keyset)

    assert f"seals to {keys.prints['one']}" in said.done
    assert keys.prints["two"] not in said.done
    assert "closed for new reports: 2 usable keys are needed" in said.err
    assert console("keys", "status", drop.root).code == 1
    installed = load(drop.keyset).keyset
    assert installed.withdrawn == (Fingerprint(keys.prints["two"]),)
    forgetful = replace(day_after(installed), withdrawn=())
    store(signatures(forgetful, keys, "one", "recovery"), keys.keyset)
    assert "forgets that a key was withdrawn" in imported(console, drop, keys)


@pytest.mark.check("G7")
def test_nobody_withdraws_or_rotates_somebody_who_is_not_there(console: Console, keys: Held) -> None:
    before = tree(keys.keyset)
    stranger = ["--gnupg", str(keys.home("one")), "--key", OTHER, "--passphrase-file", str(keys.passphrase)]

    for action in ("rotate", "withdraw"):
        assert console("keys", action, keys.keyset, *stranger).refusal == f"{OTHER} is not in this keyset"

    assert tree(keys.keyset) == before


@pytest.mark.check("G7", "L2")
@pytest.mark.parametrize("action", ["rotate", "withdraw", "sign"])
def test_a_wrong_passphrase_changes_nothing_and_is_not_printed(
    action: str, console: Console, keys: Held, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("a wrong passphrase\n")
    before = tree(keys.keyset)
    owner = ["--gnupg", str(keys.home("one")), "--key", keys.prints["one"], "--passphrase-file", str(wrong)]

    said = console("keys", action, keys.keyset, *owner)

    assert said.refusal.startswith("gpg did not")
    assert "wrong passphrase" not in console.everything
    assert tree(keys.keyset) == before


@pytest.mark.check("G14")
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"\xff\xfe", "UTF-8"),
        (b"x" * 2000, "at most"),
        (b"two\nlines", "line break"),
    ],
)
def test_a_passphrase_file_that_cannot_be_meant_is_refused(
    content: bytes, says: str, console: Console, keys: Held, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(content)
    owner = ["--gnupg", str(keys.home("one")), "--key", keys.prints["one"], "--passphrase-file", str(tmp_path / "file")]

    assert says in console("keys", "sign", keys.keyset, *owner).refusal


@pytest.mark.check("G7", "L2")
def test_no_agent_remembers_a_passphrase_afterwards(console: Console, keys: Held) -> None:
    _ = console("keys", "sign", keys.keyset, *keys.owner("two")).done

    assert not (keys.home("two") / "S.gpg-agent").exists()
    assert PASSPHRASE not in console.everything


@pytest.mark.check("G6")
def test_the_status_is_told_to_people_and_to_programs(console: Console, drop: Place, held: Held) -> None:
    keyset = load(drop.keyset).keyset

    told = json.loads(console("keys", "status", drop.root, "--json").done)

    assert told == {
        "serial": 1,
        "hash": keyset.hash,
        "quorum": 2,
        "open_for_reports": True,
        "usable": [
            {"fingerprint": str(key.fingerprint), "until": key.not_after.isoformat()} for key in keyset.recipients
        ],
        "expiring": [],
    }
    assert held.prints["one"] in console("keys", "status", held.keyset).done


@pytest.mark.check("G9")
@pytest.mark.parametrize(
    ("days", "warns", "closed"), [(70, False, False), (50, True, False), (5, True, False), (-1, True, True)]
)
def test_an_end_that_comes_near_is_told(  # noqa: PLR0917 - what is expected, and fixtures
    days: int, warns: bool, closed: bool, console: Console, held: Held, tmp_path: Path
) -> None:
    """As the keyset will look *days* before its first key ends; status reads it as it is installed."""
    keyset = load(held.keyset).keyset
    end = today(SystemClock()) + timedelta(days=days)
    early = replace(keyset.recipients[0], not_before=end - timedelta(days=300), not_after=end)
    store(SignedKeyset(replace(keyset, recipients=tuple(sorted((early, keyset.recipients[1])))), {}), tmp_path / "k")

    said, told = console("keys", "status", tmp_path / "k"), console("keys", "status", tmp_path / "k", "--json")

    assert (f"warning: {early.fingerprint} has {days} days left" in said.out) == warns
    assert ("closed for new reports" in said.err) == closed
    assert said.code == told.code == int(closed)
    facts = json.loads(told.out)
    assert facts["expiring"] == ([{"fingerprint": str(early.fingerprint), "days": days}] if warns else [])
    assert facts["open_for_reports"] == (not closed)


def test_without_a_keyset_there_is_none_to_tell_of(console: Console, bare_drop: Place) -> None:
    assert console("keys", "status", bare_drop.root).refusal == f"there is no keyset in {bare_drop.root}"
