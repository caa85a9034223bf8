import hashlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bags.transfer import receiving
from journalist_interface.parts import ReviewerLimits
from keys import ed25519
from keys.gpg import Gpg
from keys.keyset_trust import SignedKeyset
from ledger.entry import Received, size_class
from ledger.promise import open_promise
from tests.journalist_interface.browser import HOST, Answer, Browser
from tests.journalist_interface.office import Office
from tests.journalist_interface.office import office as running_office
from tests.stores import Stores
from vault.tables import PartRow, PendingLeafRow


def all_new(browser: Browser) -> Answer:
    """The page of a bag of all that is new."""
    return browser.press(browser.get("/collections"), "Bag of all that is new to me")


def download_link(page: Answer) -> str:
    (link,) = [target for words, target in page.links().items() if words.startswith("Download")]
    return link


def unpacked(office: Office, content: bytes, tmp_path: Path) -> dict[str, bytes]:
    """What a workstation finds in the bag: every part, with its promise verified."""
    tar = tmp_path / "bag.tar"
    tar.write_bytes(content)
    found: dict[str, bytes] = {}
    with receiving(tar, tmp_path / "bag") as bag:
        signed = office.signed[0]
        assert signed is not None
        assert bag.keyset == signed.keyset.canonical
        for collection in bag.index.collections:
            for submission in collection.submissions:
                for part in submission.parts:
                    entry = Received(part.ct_sha256, size_class(part.size_bytes), submission.day)
                    note = bag.promises.get(entry.leaf_hash().hex())
                    if note is not None:
                        promise = open_promise(note, office.log_key.verifier, ed25519.verify)
                        assert promise.leaf_hash == entry.leaf_hash()
                    found[part.id] = bag.sealed(submission.id, part.id).read_bytes()
    return found


def stored_parts(office: Office) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in office.drop.files()}


@pytest.mark.check("P12", "P6")
def test_all_that_is_new_comes_as_one_bag_of_the_stored_bytes(office: Office, tmp_path: Path) -> None:
    sources = [office.drop.source() for _ in range(3)]
    for source in sources:
        office.drop.send(source, [65_536, 70_000])
    browser = office.sign_in(office.hire())

    page = all_new(browser)
    answer = browser.get(download_link(page))

    assert (answer.status, answer.get("content-type")) == (200, "application/octet-stream")
    name = f"transfer-{page.heading.split()[-1]}.tar"
    assert answer.get("content-disposition") == f'attachment; filename="{name}"'
    assert unpacked(office, answer.body, tmp_path) == stored_parts(office)
    assert hashlib.sha256(next(iter(stored_parts(office).values()))).hexdigest() in page.words
    bag = office.audited()[1][1]
    assert office.audited()[1:] == [("bag", bag), ("download", bag), ("fetched", bag)]
    assert office.stores.replies.last_collected() == office.clock.now().date()
    assert office.stores.marks.last_fetch() == office.clock.now().date()


def test_a_bag_holds_what_was_chosen_and_no_more(office: Office, tmp_path: Path) -> None:
    source, other = office.drop.source(), office.drop.source()
    wanted = [office.drop.send(source), office.drop.send(source)]
    office.drop.send(source)
    office.drop.send(other)
    browser = office.sign_in(office.hire())

    form = browser.get(f"/collections/{source.collection_id}").form("Bag of the chosen").ticked("submission", wanted)
    page = browser.follow(browser.submit(form))

    parts = unpacked(office, browser.get(download_link(page)).body, tmp_path)
    assert parts.keys() == {part.part_id for one in office.stores.inbox.submissions(wanted) for part in one.parts}
    listed = browser.get("/collections").form("Bag of the chosen").ticked("collection", [other.collection_id])
    assert "collections: 1, sealed parts: 1, promises of the log: 1" in browser.follow(browser.submit(listed)).words


def test_what_the_log_holds_already_needs_no_promise(office: Office, tmp_path: Path) -> None:
    office.drop.send(office.drop.source())
    with office.drop.database.writing() as session:
        session.query(PendingLeafRow).delete()
    browser = office.sign_in(office.hire())

    page = all_new(browser)

    assert "promises of the log: 0" in page.words
    assert unpacked(office, browser.get(download_link(page)).body, tmp_path) == stored_parts(office)


def test_a_closed_source_is_still_fetched_and_has_no_key_for_replies(office: Office, tmp_path: Path) -> None:
    source = office.drop.source()
    office.drop.send(source)
    office.drop.inbox.close(source)
    browser = office.sign_in(office.hire())

    answer = browser.get(download_link(all_new(browser)))

    (tmp_path / "bag.tar").write_bytes(answer.body)
    with receiving(tmp_path / "bag.tar", tmp_path / "bag") as bag:
        assert bag.index.collections[0].source_public_key == bytes(32)
    assert "closed" in browser.get("/collections").words


@pytest.mark.check("C5", "P7")
@pytest.mark.parametrize("ended", ["signed out", "disabled", "signed in elsewhere"])
def test_a_download_ends_with_the_session_that_asked_for_it(office: Office, ended: str) -> None:
    """A bag may take hours over Tor; whoever is shut out meanwhile gets no more of it."""
    office.drop.send(office.drop.source(), [8 << 20])
    admin, petro = office.sign_in(office.hire(is_admin=True)), office.hire("Petro")
    browser = office.sign_in(petro)
    link = download_link(all_new(browser))
    cookie = f"Cookie: __Host-desk={browser.cookies['__Host-desk']}"

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(20)
        connection.connect(str(office.socket))
        connection.sendall(f"GET {link} HTTP/1.1\r\nHost: {HOST}\r\n{cookie}\r\n\r\n".encode())
        received = len(connection.recv(4096))
        match ended:
            case "signed out":
                browser.press(browser.get("/bags"), "Sign out")
            case "disabled":
                forms = admin.get("/accounts").forms()
                path = f"/accounts/{petro.reviewer.reviewer_id}/disable"
                admin.submit(next(form for form in forms if form.action == path))
            case _:
                office.sign_in(petro)
        while piece := connection.recv(65536):
            received += len(piece)

    assert received < 4 << 20
    assert "fetched" not in {what for what, _ in office.audited()}


@pytest.mark.check("P13", "A10")
def test_a_broken_download_goes_on_where_it_stopped(office: Office) -> None:
    office.drop.send(office.drop.source(), [300_000])
    browser = office.sign_in(office.hire())
    link = download_link(all_new(browser))
    whole = browser.get(link)
    size, etag = len(whole.body), whole.get("etag")
    assert (etag[0], whole.get("accept-ranges")) == ('"', "bytes")

    for asked, start, end in (
        ("bytes=0-0", 0, 1),
        (f"bytes=100000-{size - 1}", 100_000, size),
        ("bytes=100000-", 100_000, size),
        ("bytes=-512", size - 512, size),
        (f"bytes=-{size * 2}", 0, size),
        (f"bytes=5-{size * 9}", 5, size),
    ):
        part = browser.get(link, f"Range: {asked}", f"If-Range: {etag}")
        assert (part.status, part.body) == (206, whole.body[start:end]), asked
        assert part.get("content-range") == f"bytes {start}-{end - 1}/{size}"
        assert part.get("etag") == etag
    again = browser.get(link, "Range: bytes=0-9", 'If-Range: "another"')
    assert (again.status, again.body) == (200, whole.body)
    assert browser.get(link, "Range: bytes=0-9", "If-Range: Wed, 04 Mar 2026 12:00:00 GMT").status == 200
    assert browser.get(link, f"If-Match: {etag}").status == 200
    assert browser.get(link, 'If-Match: "another"').status == 412
    assert browser.get(link, f"If-None-Match: {etag}").status == 304
    headed = browser.get(link, "Range: bytes=0-9", method="HEAD")
    assert (headed.status, headed.get("content-length"), headed.body) == (200, str(size), b"")


@pytest.mark.check("P13")
def test_ranges_that_are_no_single_range_are_refused_at_once(office: Office) -> None:
    office.drop.send(office.drop.source())
    browser = office.sign_in(office.hire())
    link = download_link(all_new(browser))
    size = len(browser.get(link).body)
    audited = len(office.audited())

    thousand = "bytes=" + ",".join(f"{number}-{number}" for number in range(0, 2000, 2))
    seconds: list[float] = []
    for _ in range(10):
        began = time.perf_counter()
        assert browser.get(link, f"Range: {thousand[:8000]}").status == 416
        seconds.append(time.perf_counter() - began)

    for asked in ("bytes=5-4", f"bytes={size}-", "bytes=-0", "bytes=-", "bytes=a-b", "items=0-1", "", "bytes=0-1,3-4"):
        assert browser.get(link, f"Range: {asked}").status == 416, asked
    assert browser.get(link, "Range: bytes=0-1", "Range: bytes=3-4").status == 416
    assert browser.get(link, "Range: bytes=0-" + "9" * 400).status == 416
    assert len(office.audited()) == audited
    # The machine is shared: what took longest is not what the answer takes (P13).
    assert min(seconds) <= 0.05


def test_a_resumed_download_that_reaches_the_end_is_a_fetch(office: Office) -> None:
    office.drop.send(office.drop.source())
    browser = office.sign_in(office.hire())
    link = download_link(all_new(browser))

    browser.get(link, "Range: bytes=0-99")
    assert office.stores.replies.last_collected() is None
    browser.get(link, "Range: bytes=100-")

    assert office.stores.replies.last_collected() == office.clock.now().date()
    assert [what for what, _ in office.audited()] == ["signed-in", "bag", "download", "resumed", "fetched"]


def test_the_same_bag_gives_the_same_bytes_on_another_day(office: Office) -> None:
    office.drop.send(office.drop.source())
    olena = office.hire()
    browser = office.sign_in(olena)
    link = download_link(all_new(browser))
    first = browser.get(link)

    office.clock.advance(86_400)
    office.drop.send(office.drop.source())
    office.sign_in(olena, browser)

    assert browser.get(link).body == first.body
    assert browser.get("/bags").links()[first.get("content-disposition")[-13:-5]] == link.removesuffix("/download")


@pytest.mark.check("P2")
def test_a_bag_is_its_makers_alone(office: Office) -> None:
    office.drop.send(office.drop.source())
    olena, petro = office.sign_in(office.hire()), office.sign_in(office.hire("Petro"))
    link = download_link(all_new(olena))

    page = link.removesuffix("/download")
    assert [petro.get(target).status for target in (page, link)] == [404, 404]
    seen = petro.get("/collections").form("Bag of all that is new to me")
    body = f"token={seen.field('token')}&bag={page.rpartition('/')[2]}".encode()
    assert petro.post("/seen", body, "application/x-www-form-urlencoded").status == 404


@pytest.mark.check("J11")
def test_a_bag_whose_parts_are_destroyed_is_refused_whole(office: Office) -> None:
    office.drop.send(office.drop.source(), [65_536, 65_536])
    browser = office.sign_in(office.hire())
    page = all_new(browser)
    with office.drop.database.writing() as session:
        session.delete(session.query(PartRow).first())

    assert browser.get(download_link(page)).status == 404
    assert "has been destroyed" in browser.get(download_link(page).removesuffix("/download")).words


@pytest.mark.check("J11")
def test_a_part_that_vanishes_during_a_download_breaks_it_off(office: Office) -> None:
    """The bytes end early: a download that is short is never taken for a whole one."""
    office.drop.send(office.drop.source())
    browser = office.sign_in(office.hire())
    link = download_link(all_new(browser))
    for path in office.drop.files():
        path.unlink()

    with pytest.raises(EOFError):
        browser.get(link)
    assert office.stores.replies.last_collected() is None


@pytest.mark.check("T8")
def test_the_same_form_twice_makes_one_bag(office: Office) -> None:
    office.drop.send(office.drop.source())
    browser = office.sign_in(office.hire())
    form = browser.get("/collections").form("Bag of all that is new to me")

    first, second = browser.submit(form), browser.submit(form)

    assert first.get("location") == second.get("location")
    assert [what for what, _ in office.audited()].count("bag") == 1


def test_without_keeper_or_keyset_no_bag_is_made(office: Office) -> None:
    office.drop.send(office.drop.source())
    browser = office.sign_in(office.hire())
    form = browser.get("/collections").form("Bag of all that is new to me")
    signed, office.signed[0] = office.signed[0], None

    refused = browser.submit(form)
    assert (refused.status, refused.heading) == (503, "No keyset is installed")
    office.signed[0] = signed
    (office.folder / "broker.sock").rename(office.folder / "away.sock")
    refused = browser.submit(form)
    assert (refused.status, refused.heading) == (503, "The keeper does not answer")
    assert refused.get("retry-after") == "60"
    (office.folder / "away.sock").rename(office.folder / "broker.sock")
    assert browser.submit(form).status == 303


def test_nothing_chosen_is_said_kindly(office: Office) -> None:
    browser = office.sign_in(office.hire())
    page = browser.get("/collections")

    refused = browser.submit(page.form("Bag of all that is new to me"))

    assert (refused.status, refused.heading) == (400, "Nothing was chosen")
    token = page.form("Bag of all that is new to me").field("token")
    for choice in ("submission=../x", "collection=%00", "bag=1", f"submission={'0' * 32}"):
        answer = browser.post("/bags", f"token={token}&{choice}".encode(), "application/x-www-form-urlencoded")
        assert answer.status in {400, 404}, choice


@pytest.fixture
def narrow(files: Stores, signed_keyset: SignedKeyset, public_gpg: Gpg) -> Iterator[Office]:
    with running_office(files, (signed_keyset, public_gpg), limits=ReviewerLimits(bag_parts=4)) as made:
        yield made


def test_what_does_not_fit_into_one_bag_is_left_for_the_next(narrow: Office, tmp_path: Path) -> None:
    source = narrow.drop.source()
    for _ in range(3):
        narrow.drop.send(source, [65_536, 65_536])
    browser = narrow.sign_in(narrow.hire())

    page = all_new(browser)
    assert "There is more that is new to you" in page.words
    first = unpacked(narrow, browser.get(download_link(page)).body, tmp_path)
    browser.press(page, "Mark what it holds as seen")
    (tmp_path / "next").mkdir()
    page = all_new(browser)
    second = unpacked(narrow, browser.get(download_link(page)).body, tmp_path / "next")

    assert (len(first), len(second)) == (4, 2)
    assert first | second == stored_parts(narrow)
    assert "There is more" not in page.words


def test_a_large_bag_is_streamed_in_pieces(office: Office, tmp_path: Path) -> None:
    """The whole file never lies in memory: the answer begins before the rest was read."""
    office.drop.send(office.drop.source(), [40_000_000, 40_000_000])
    browser = office.sign_in(office.hire())

    answer = browser.get(download_link(all_new(browser)))

    assert unpacked(office, answer.body, tmp_path) == stored_parts(office)
