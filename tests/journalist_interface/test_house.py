import asyncio
import logging
import secrets
from dataclasses import replace
from datetime import date

import pytest

from journalist_interface.errors import KeeperError
from journalist_interface.house import House
from journalist_interface.site import Site
from onion.client_auth import ClientKey, client_pair
from tests.journalist_interface.office import DAY_SECONDS, Office
from vault.records import ReturnBag, ReturnedReply, Source


@pytest.fixture
def house(office: Office) -> House:
    """Somebody who keeps house when told to, beside the one who does it each minute."""
    return House(Site(office.parts))


def answered(office: Office, source: Source) -> str:
    reply_id = secrets.token_hex(16)
    bag = ReturnBag(
        "A" * 40, secrets.randbelow(1 << 40), "ab" * 32, (ReturnedReply(reply_id, source.collection_id, b"x"),), ()
    )
    office.stores.outbox.accept(bag)
    return reply_id


def test_what_a_source_deleted_is_destroyed(office: Office, house: House) -> None:
    source, other = office.drop.source(), office.drop.source()
    office.drop.send(source)
    office.drop.send(other)
    deleted, kept = answered(office, source), answered(office, source)
    answered(office, other)
    office.drop.inbox.delete_reply(source, deleted)
    office.drop.inbox.close(other)

    house.sweep()

    assert [reply.reply_id for reply in office.stores.replies.replies(source.collection_id)] == [kept]
    assert office.stores.replies.replies(other.collection_id) == []
    house.sweep()
    assert [reply.reply_id for reply in office.stores.replies.replies(source.collection_id)] == [kept]


def test_what_came_is_learnt_also_from_a_clock_that_was_wrong(office: Office, house: House) -> None:
    olena = office.hire().reviewer.reviewer_id
    office.drop.send(office.drop.source())
    office.clock.advance(-30 * DAY_SECONDS)
    early = office.drop.send(office.drop.source())
    office.clock.advance(30 * DAY_SECONDS)

    house.sweep()

    assert early in office.stores.marks.new_submissions(olena)
    assert len(office.stores.marks.new_submissions(olena)) == 2


def test_bags_whose_days_are_over_are_forgotten(office: Office, house: House) -> None:
    olena = office.hire().reviewer.reviewer_id
    office.stores.selections.freeze(olena, [], "ab" * 32, b"")
    house.sweep()
    assert len(office.stores.selections.of(olena)) == 1

    office.clock.advance(8 * DAY_SECONDS)
    house.sweep()

    office.clock.advance(-8 * DAY_SECONDS)
    assert office.stores.selections.of(olena) == []


@pytest.mark.check("P7", "M9")
def test_the_keepers_list_becomes_that_of_the_accounts(office: Office, house: House) -> None:
    kept, gone = office.hire("Olena", is_admin=True), office.hire("Petro")
    lost = office.hire("Maria")
    office.stores.accounts.disable(gone.reviewer.reviewer_id)
    office.tors.clients.remove(lost.reviewer.reviewer_id)
    office.tors.clients.add("0" * 32, ClientKey.parse(client_pair().public))

    asyncio.run(house.reconcile())

    assert set(office.tors.names()) == {kept.reviewer.reviewer_id, lost.reviewer.reviewer_id}
    office.tors.asked.clear()
    asyncio.run(house.reconcile())
    assert office.tors.asked == []


@pytest.mark.check("M9", "P7")
def test_a_key_that_was_changed_while_the_keeper_was_away_loses_its_way_in(office: Office, house: House) -> None:
    """The account has the new key, the keeper still the one that was lost: their names alone look right."""
    olena = office.hire("Olena").reviewer
    lost, fresh = (ClientKey.parse(one) for one in (olena.onion_key, client_pair().public))
    asyncio.run(house.reconcile())
    assert office.tors.clients.holds(olena.reviewer_id, lost)
    office.stores.accounts.change_onion_key(olena.reviewer_id, fresh.text)
    office.tors.asked.clear()

    asyncio.run(house.reconcile())

    assert office.tors.asked == [f"revoke {olena.reviewer_id}", f"authorize {olena.reviewer_id}"]
    assert office.tors.clients.holds(olena.reviewer_id, fresh)
    assert not office.tors.clients.holds(olena.reviewer_id, lost)


def test_trouble_is_tried_again_and_told(office: Office, house: House, caplog: pytest.LogCaptureFixture) -> None:
    (office.folder / "broker.sock").unlink()

    with pytest.raises(KeeperError):
        asyncio.run(house.reconcile())
    with caplog.at_level(logging.WARNING):
        asyncio.run(house.once())

    assert "keeping house will be tried again: KeeperError" in caplog.text


def test_uploads_that_a_crash_left_are_destroyed(office: Office, house: House) -> None:
    (office.parts.work / "left").mkdir()
    (office.parts.work / "left" / "bag.tar").write_bytes(b"x")

    house.clear_work()

    assert list(office.parts.work.iterdir()) == []


def test_the_interface_does_not_start_without_its_folder(office: Office) -> None:
    parts = replace(office.parts, work=office.folder / "nowhere")

    with pytest.raises(FileNotFoundError):
        House(Site(parts)).clear_work()
    assert date(2026, 3, 4) == Site(parts).today()
