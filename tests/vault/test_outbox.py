import secrets
from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.vault.drop import Drop
from vault.errors import BagConflictError
from vault.records import Accepted, ImportReceipt, Reply, ReturnBag, ReturnedReply

TODAY = date(2026, 3, 4)
COLLECTION = "c0" * 16


def bag(*replies: ReturnedReply, sequence: int = 1, receipts: tuple[ImportReceipt, ...] = ()) -> ReturnBag:
    return ReturnBag("A" * 40, sequence, secrets.token_hex(32), replies, receipts)


def reply(collection_id: str = COLLECTION, box: bytes = b"sealed") -> ReturnedReply:
    return ReturnedReply(secrets.token_hex(16), collection_id, box)


def test_a_reply_reaches_its_source_alone(drop: Drop) -> None:
    mine, other = reply(), reply("d0" * 16)

    accepted = drop.outbox.accept(bag(mine, other))

    assert accepted == Accepted(2, 0, already=False)
    assert drop.replies.replies(COLLECTION) == [Reply(mine.reply_id, TODAY, b"sealed")]
    assert drop.replies.existing([mine.reply_id, "0" * 32]) == frozenset({mine.reply_id})


@pytest.mark.check("T8")
def test_the_same_bag_again_changes_nothing(drop: Drop) -> None:
    once = bag(reply(), receipts=(ImportReceipt("ab" * 32, COLLECTION),))
    drop.outbox.accept(once)
    drop.outbox.destroy_deleted([once.replies[0].reply_id])

    assert drop.outbox.accept(once) == Accepted(0, 0, already=True)
    assert drop.replies.replies(COLLECTION) == []


def test_bags_come_in_any_order(drop: Drop) -> None:
    drop.outbox.accept(bag(reply(), sequence=2))

    assert not drop.outbox.accept(bag(reply(), sequence=1)).already
    assert len(drop.replies.replies(COLLECTION)) == 2


def test_another_bag_with_a_used_number_is_refused_whole(drop: Drop) -> None:
    drop.outbox.accept(bag(reply()))

    with pytest.raises(BagConflictError):
        drop.outbox.accept(bag(reply()))

    assert len(drop.replies.replies(COLLECTION)) == 1


def test_another_reply_with_a_used_id_refuses_the_whole_bag(drop: Drop) -> None:
    known = reply()
    drop.outbox.accept(bag(known))

    with pytest.raises(BagConflictError):
        drop.outbox.accept(bag(reply(), replace(known, box=b"other"), sequence=2))

    assert drop.replies.replies(COLLECTION) == [Reply(known.reply_id, TODAY, b"sealed")]
    assert drop.outbox.accept(bag(known, sequence=2)) == Accepted(0, 0, already=False)


def test_replies_to_somebody_who_has_gone_are_dropped(drop: Drop) -> None:
    assert drop.outbox.accept(bag(reply()), closed={COLLECTION}).replies == 0

    drop.outbox.accept(bag(reply(), reply("d0" * 16), sequence=2, receipts=(ImportReceipt("ab" * 32, COLLECTION),)))
    assert drop.outbox.destroy_closed({COLLECTION}) == 1
    assert drop.replies.replies(COLLECTION) == []
    assert not drop.replies.imported(COLLECTION)
    assert len(drop.replies.replies("d0" * 16)) == 1


def test_receipts_say_that_a_source_was_imported(drop: Drop) -> None:
    receipts = (ImportReceipt("ab" * 32, COLLECTION), ImportReceipt("ab" * 32, COLLECTION))

    assert drop.outbox.accept(bag(receipts=receipts)).receipts == 1
    assert drop.outbox.accept(bag(sequence=2, receipts=receipts)).receipts == 0
    assert drop.replies.imported(COLLECTION)
    assert not drop.replies.imported("d0" * 16)


def test_only_the_last_day_of_collecting_is_kept(drop: Drop) -> None:
    assert drop.replies.last_collected() is None

    for day in (TODAY, TODAY + timedelta(days=2), TODAY + timedelta(days=1)):
        drop.outbox.note_collected(day)

    assert drop.replies.last_collected() == TODAY + timedelta(days=2)


@pytest.mark.check("F12")
def test_a_destroyed_reply_leaves_no_bytes_in_the_store(file_drop: Drop) -> None:
    box = b"canary of a sealed reply" * 300
    known = reply(box=box)
    file_drop.outbox.accept(bag(known))
    store = file_drop.root / "outbox.db"
    assert b"canary" in store.read_bytes()

    assert file_drop.outbox.destroy_deleted([known.reply_id]) == 1

    assert b"canary" not in store.read_bytes()
    assert not (file_drop.root / "outbox.db-journal").exists()


def test_a_sweep_changes_nothing_that_is_whole(drop: Drop) -> None:
    drop.outbox.accept(bag(reply()))

    drop.outbox.sweep()

    assert len(drop.replies.replies(COLLECTION)) == 1
