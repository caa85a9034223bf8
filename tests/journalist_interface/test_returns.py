import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bags.layout import write_layout
from bags.returns import Reply, ReturnBag, return_layout
from journalist_interface.parts import ReviewerLimits
from keys.gpg import Gpg
from keys.keyset_trust import SignedKeyset
from keys.signing import sign_detached
from tests.journalist_interface.browser import Answer, Browser, File
from tests.journalist_interface.office import ORIGIN, Office
from tests.journalist_interface.office import office as running_office
from tests.keyring import DAY, Reviewer, make_reviewer
from tests.stores import Stores

KIB = 1024


@dataclass
class Workstation:
    """Writes and signs return bags as a reviewer's workstation does."""

    reviewer: Reviewer
    folder: Path

    def bag(
        self,
        *replies: Reply,
        imported: tuple[str, ...] = (),
        sequence: int = 1,
        drop: str = ORIGIN,
        signer: str | None = None,
    ) -> tuple[File, File]:
        bag = ReturnBag(drop, signer or str(self.reviewer.fingerprint), sequence, replies, tuple(sorted(imported)))
        tar = self.folder / f"{secrets.token_hex(4)}.tar"
        write_layout(return_layout(bag), tar)
        return ("return.tar", tar.read_bytes()), ("return.tar.sig", self.signature(tar))

    def signature(self, tar: Path) -> bytes:
        return sign_detached(tar, self.reviewer.gpg, self.reviewer.fingerprint, DAY, self.reviewer.passphrase)


@pytest.fixture
def workstation(reviewers: tuple[Reviewer, Reviewer], tmp_path: Path) -> Workstation:
    folder = tmp_path / "workstation"
    folder.mkdir()
    return Workstation(reviewers[0], folder)


def reply_to(collection_id: str, box: bytes = b"sealed") -> Reply:
    return Reply(secrets.token_hex(16), collection_id, box)


def send(browser: Browser, *files: File) -> Answer:
    return browser.submit(browser.get("/returns").form("Take it in"), [("files", one) for one in files])


def test_replies_and_receipts_are_taken_in(office: Office, workstation: Workstation) -> None:
    source = office.drop.source()
    office.drop.send(source)
    (submission,) = office.stores.inbox.submissions_of(source.collection_id)
    reply = reply_to(source.collection_id)
    browser = office.sign_in(office.hire())

    files = workstation.bag(reply, imported=(submission.parts[0].ct_sha256, "ab" * 32))
    page = browser.follow(send(browser, *files))

    assert "Replies now waiting for their sources: 1" in page.words
    assert "reported for the first time: 1" in page.words
    assert "parts that are not on this server: 1" in page.words
    assert [kept.box for kept in office.stores.replies.replies(source.collection_id)] == [b"sealed"]
    assert office.stores.replies.imported(source.collection_id)
    assert office.audited()[-1] == ("returned", hashlib.sha256(files[0][1]).hexdigest())
    assert "A workstation has taken something in" in browser.get(f"/collections/{source.collection_id}").words
    assert list(office.parts.work.iterdir()) == []


@pytest.mark.check("T8")
def test_the_same_bag_or_form_twice_changes_nothing(office: Office, workstation: Workstation) -> None:
    source = office.drop.source()
    office.drop.send(source)
    browser = office.sign_in(office.hire())
    files = [("files", one) for one in workstation.bag(reply_to(source.collection_id))]
    form = browser.get("/returns").form("Take it in")

    answers = [browser.submit(form, files), browser.submit(form, files)]
    assert [answer.get("location") for answer in answers] == ["/returns", "/returns"]
    assert "The bag is taken in." in browser.get("/returns").words
    again = browser.follow(browser.submit(browser.get("/returns").form("Take it in"), files))

    assert "This bag had been taken in before." in again.words
    assert len(office.stores.replies.replies(source.collection_id)) == 1
    assert [what for what, _ in office.audited()].count("returned") == 2


def test_the_order_of_the_two_files_does_not_matter(office: Office, workstation: Workstation) -> None:
    bag, signature = workstation.bag()
    browser = office.sign_in(office.hire())

    assert send(browser, signature, bag).status == 303


def test_a_bag_that_no_reviewer_signed_is_never_read(
    office: Office, workstation: Workstation, gpg_homes: Path, tmp_path: Path
) -> None:
    browser = office.sign_in(office.hire())
    bag, signature = workstation.bag()
    stranger = Workstation(make_reviewer("stray", gpg_homes), tmp_path)
    theirs = stranger.bag()
    posing = stranger.bag(signer=str(workstation.reviewer.fingerprint))

    for files in (
        (("x.tar", bag[1][:-1]), signature),
        (("x.tar", b"not a bag"), signature),
        (bag, ("x.sig", b"not a signature")),
        (bag, ("x.sig", b"-----BEGIN PGP SIGNATURE-----")),
        (bag, ("x.sig", signature[1] * 2)),
        (bag, ("x.sig", b"\x88" * (17 * KIB))),
        theirs,
        posing,
    ):
        answer = send(browser, *files)
        assert answer.status == 400
        assert "The signature is not that of a reviewer" in answer.words
    assert list(office.parts.work.iterdir()) == []
    assert [what for what, _ in office.audited()] == ["signed-in"]


def test_a_signed_bag_for_another_drop_or_in_anothers_name_is_refused(
    office: Office, workstation: Workstation, reviewers: tuple[Reviewer, Reviewer]
) -> None:
    browser = office.sign_in(office.hire())

    for files in (workstation.bag(drop="log-other"), workstation.bag(signer=str(reviewers[1].fingerprint))):
        assert send(browser, *files).status == 400


def test_a_signed_file_that_is_no_bag_is_refused(office: Office, workstation: Workstation) -> None:
    browser = office.sign_in(office.hire())
    junk = workstation.folder / "junk.tar"
    junk.write_bytes(b"junk" * 512)

    answer = send(browser, ("junk.tar", junk.read_bytes()), ("junk.tar.sig", workstation.signature(junk)))

    assert answer.status == 400
    assert "not a whole return bag" in answer.words


def test_a_number_belongs_to_one_bag(office: Office, workstation: Workstation) -> None:
    source = office.drop.source()
    office.drop.send(source)
    browser = office.sign_in(office.hire())
    send(browser, *workstation.bag(reply_to(source.collection_id)))

    answer = send(browser, *workstation.bag(reply_to(source.collection_id)))

    assert answer.status == 409
    assert "contradicts one that was taken in before" in answer.words
    assert len(office.stores.replies.replies(source.collection_id)) == 1
    assert send(browser, *workstation.bag(reply_to(source.collection_id), sequence=2)).status == 303


def test_replies_to_those_who_are_gone_are_dropped_and_counted(office: Office, workstation: Workstation) -> None:
    source = office.drop.source()
    office.drop.send(source)
    office.drop.inbox.close(source)
    browser = office.sign_in(office.hire())

    page = browser.follow(send(browser, *workstation.bag(reply_to(source.collection_id), reply_to("0" * 32))))

    assert "closed the inbox: 2" in page.words
    assert office.stores.replies.replies(source.collection_id) == []


def test_a_reply_to_who_has_withdrawn_waits_for_her(office: Office, workstation: Workstation) -> None:
    """She may read it, and may take the withdrawal back; the same bag could not be taken in a second time."""
    source = office.drop.source()
    office.drop.send(source)
    office.drop.inbox.withdraw(source)
    browser = office.sign_in(office.hire())

    browser.follow(send(browser, *workstation.bag(reply_to(source.collection_id))))

    assert len(office.stores.replies.replies(source.collection_id)) == 1


def test_the_two_files_come_together_or_not_at_all(office: Office, workstation: Workstation) -> None:
    browser = office.sign_in(office.hire())
    bag, signature = workstation.bag()
    nothing: File = ("", b"")

    for files in ((bag,), (signature,), (bag, bag), (signature, signature), (nothing,), ()):
        answer = send(browser, *files)
        assert answer.status == 400
        assert "choose exactly two files" in answer.words
    assert send(browser, bag, signature, signature).status == 400
    assert list(office.parts.work.iterdir()) == []


@pytest.fixture
def narrow(files: Stores, signed_keyset: SignedKeyset, public_gpg: Gpg) -> Iterator[Office]:
    limits = ReviewerLimits(return_bytes=64 * KIB)
    with running_office(files, (signed_keyset, public_gpg), limits=limits) as made:
        yield made


@pytest.mark.check("D10")
def test_a_bag_beyond_the_cap_is_refused_and_nothing_is_left(narrow: Office, workstation: Workstation) -> None:
    source = narrow.drop.source()
    narrow.drop.send(source)
    browser = narrow.sign_in(narrow.hire())
    large = workstation.bag(reply_to(source.collection_id, bytes(70 * KIB)))
    huge = workstation.bag(reply_to(source.collection_id, bytes(400 * KIB)))

    refused = [send(browser, *files).status for files in (large, huge)]

    # The first is within the form's slack and refused as a bag; the second is refused while it arrives.
    assert refused == [400, 413]
    assert list(narrow.parts.work.iterdir()) == []
    assert narrow.stores.replies.replies(source.collection_id) == []


@pytest.mark.check("E1", "J3")
def test_an_upload_that_stops_leaves_nothing(office: Office, workstation: Workstation) -> None:
    browser = office.sign_in(office.hire())
    token = browser.get("/returns").form("Take it in").field("token")
    bag, _ = workstation.bag()
    start = (
        f'--x\r\nContent-Disposition: form-data; name="token"\r\n\r\n{token}\r\n'
        '--x\r\nContent-Disposition: form-data; name="files"; filename="a.tar"\r\n\r\n'
    ).encode()

    answer = browser.post("/returns", start + bag[1], "multipart/form-data; boundary=x")

    assert (answer.status, answer.heading) == (400, "The upload stopped half-way")
    assert list(office.parts.work.iterdir()) == []
    assert send(browser, *workstation.bag()).status == 303


def test_a_form_without_a_token_first_is_not_read(office: Office, workstation: Workstation) -> None:
    browser = office.sign_in(office.hire())
    bag, signature = workstation.bag()
    form = browser.get("/returns").form("Take it in")

    assert browser.submit(form.filled(token="x"), [("files", bag), ("files", signature)]).status == 403
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.tar"\r\n\r\nx\r\n--x--\r\n'
    assert browser.post("/returns", body, "multipart/form-data; boundary=x").status == 400
    assert browser.post("/returns", b"token=x", "application/x-www-form-urlencoded").status == 415
