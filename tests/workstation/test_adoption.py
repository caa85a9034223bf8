import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hardening.files import private_folder
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, stop_agent
from keys.keyset_trust import SignedKeyset
from keys.signing import sign_detached
from tests.clock import FakeClock
from tests.drop import Drop, file, words
from tests.keyring import DAY, Reviewer
from tests.ledger.signers import LOG
from workstation.adoption import adopt
from workstation.desk import open_desk
from workstation.errors import AdoptionError
from workstation.finding import find
from workstation.founding import Founding, found_desk
from workstation.intake import take_in
from workstation.outbox import pack
from workstation.reading import judge, open_submission

_PINENTRY = """#!{python} -I
# Answers the agent as a person would (Assuan); what it was asked is kept for the test.
import sys
print("OK", flush=True)
for line in sys.stdin:
    if line.startswith("GETPIN"):
        with open({asked!r}, "a") as asked:
            asked.write("PIN\\n")
        print({passphrase!r}, flush=True)
    print("OK", flush=True)
    if line.startswith("BYE"):
        break
"""


@pytest.fixture
def into(short_path: Path) -> Path:
    return private_folder(short_path / "gnupg")


def test_only_the_owners_key_comes_along_and_it_works(
    amber: Reviewer, stranger: Reviewer, into: Path, short_path: Path
) -> None:
    crowded = short_path / "crowded"
    shutil.copytree(amber.gpg.home, crowded, ignore=shutil.ignore_patterns("S.*"))
    subprocess.run(["gpg", "--homedir", crowded, "--batch", "--import"], input=stranger.certificate, check=True)
    for key in (stranger.gpg.home / "private-keys-v1.d").glob("*.key"):
        shutil.copy(key, crowded / "private-keys-v1.d")
    before = {path: path.read_bytes() for path in crowded.rglob("*") if path.is_file()}

    adopt(crowded, amber.fingerprint, into)

    gpg = Gpg(into, agent=True)
    assert sign_detached(b"x", gpg, amber.fingerprint, DAY, amber.passphrase)
    stop_agent(gpg)
    stop_agent(Gpg(crowded))
    assert len(list((into / "private-keys-v1.d").glob("*.key"))) == 2
    assert {path.stat().st_mode & 0o777 for path in (into / "private-keys-v1.d").glob("*.key")} == {0o600}
    assert {path: path.read_bytes() for path in before} == before


def test_adopting_again_changes_nothing(amber: Reviewer, into: Path) -> None:
    adopt(amber.gpg.home, amber.fingerprint, into)
    keys = {path.name: path.read_bytes() for path in (into / "private-keys-v1.d").iterdir()}

    adopt(amber.gpg.home, amber.fingerprint, into)

    assert {path.name: path.read_bytes() for path in (into / "private-keys-v1.d").iterdir()} == keys
    stop_agent(Gpg(into))


def test_a_home_that_does_not_know_the_key_is_refused(amber: Reviewer, birch: Reviewer, into: Path) -> None:
    for owner in (birch.fingerprint, Fingerprint("0" * 40)):
        with pytest.raises(AdoptionError, match="does not know this key"):
            adopt(amber.gpg.home, owner, into)


def test_a_home_without_the_secret_half_is_refused(amber: Reviewer, into: Path, short_path: Path) -> None:
    public = private_folder(short_path / "public")
    subprocess.run(["gpg", "--homedir", public, "--batch", "--import"], input=amber.certificate, check=True)

    with pytest.raises(AdoptionError, match="does not hold the secret half"):
        adopt(public, amber.fingerprint, into)
    stop_agent(Gpg(public))


def test_a_key_that_asks_for_itself_opens_signs_and_answers(
    amber: Reviewer, drop: Drop, short_path: Path, signed_keyset: SignedKeyset, clock: FakeClock
) -> None:
    """A smartcard's owner types her PIN for the agent; the passphrase opens the case log alone."""
    root = private_folder(short_path / "desk")
    gnupg = private_folder(root / "gnupg")
    adopt(amber.gpg.home, amber.fingerprint, gnupg)
    asked = short_path / "asked"
    pinentry = short_path / "pinentry"
    pinentry.write_text(_PINENTRY.format(python=sys.executable, asked=str(asked), passphrase=f"D {amber.passphrase}"))
    pinentry.chmod(0o700)
    (gnupg / "gpg-agent.conf").write_text(f"pinentry-program {pinentry}\n")
    founding = Founding(amber.fingerprint, LOG.key, (signed_keyset,), tuple(signed_keyset.signatures), agent_asks=True)
    found_desk(root, founding, "the log's own", clock).close()
    desk = open_desk(root, lambda: "the log's own", clock)
    assert desk.passphrase is None

    take_in(drop.bag(drop.send(drop.source(), words("hello"), file("a", b"content"))), desk)
    (submission,) = find(desk.cases(), "quiet heron")
    opened = open_submission(judge(submission, desk), short_path / "out", desk)
    packed = pack(desk)
    verified = desk.verify_log()
    desk.close()

    assert opened.files[0].path.read_bytes() == b"content"
    assert packed.receipts == 3
    assert verified.events == 4
    assert asked.read_text().count("PIN") >= 2
