import hashlib
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bags.index import Index
from casework.events import Kind
from keys.recipients import Recipients
from ledger.promise import Promise, sign_promise
from tests.drop import Drop, Sent, file, words
from tests.keyring import without_last
from tests.ledger.signers import LOG, OTHER_LOG
from workstation.desk import Desk
from workstation.errors import IntakeError
from workstation.intake import Taken, take_in


@pytest.fixture
def sent(drop: Drop) -> Sent:
    return drop.send(drop.source(), words("hello"), file("a.bin", b"\x00" * 100))


def contents(desk: Desk) -> dict[str, bytes]:
    """All that lies at the desk but the case log, which is told by its events."""
    folders = (desk.layout.sealed, desk.layout.promises, desk.layout.incoming, desk.layout.outbox)
    return {
        str(path.relative_to(desk.layout.root)): path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def events(desk: Desk) -> list[bytes]:
    return [signed.body for signed in desk.log.events()]


def nothing_of(desk: Desk) -> bool:
    return contents(desk) == {} and len(events(desk)) == 1 and list(desk.layout.sealed.iterdir()) == []


def test_what_was_sealed_lies_here_to_the_byte(desk: Desk, drop: Drop, sent: Sent) -> None:
    taken = take_in(drop.bag(sent), desk)

    assert taken == Taken((sent.submission,), (), (), ())
    shelf = desk.layout.sealed / sent.submission
    assert {path.name: path.read_bytes() for path in shelf.iterdir()} == {
        f"{part.sealed.part_id}.gpg": part.path.read_bytes() for part in sent.parts
    }
    assert {path.stem for path in desk.layout.promises.iterdir()} == set(drop.promises(sent))
    assert list(desk.layout.incoming.iterdir()) == []
    assert shelf.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in shelf.iterdir()} == {0o600}


@pytest.mark.check("T8")
def test_the_same_bag_again_changes_nothing(desk: Desk, drop: Drop, sent: Sent) -> None:
    bag = drop.bag(sent)
    take_in(bag, desk)
    before = contents(desk), events(desk)

    again = take_in(bag, desk)

    assert again == Taken((), (sent.submission,), (), ())
    assert (contents(desk), events(desk)) == before


@pytest.mark.check("T8")
def test_a_bag_with_something_old_and_something_new_adds_the_new(desk: Desk, drop: Drop, sent: Sent) -> None:
    take_in(drop.bag(sent), desk)
    other = drop.send(sent.source, words("more"))

    taken = take_in(drop.bag(sent, other), desk)

    assert taken == Taken((other.submission,), (sent.submission,), (), ())
    assert len(desk.cases().of_collection(sent.source.collection)) == 2


def test_another_submission_under_a_known_id_is_left_out(desk: Desk, drop: Drop, sent: Sent) -> None:
    take_in(drop.bag(sent), desk)
    before = contents(desk), events(desk)
    other = replace(drop.send(sent.source, words("other")), submission=sent.submission)

    taken = take_in(drop.bag(other), desk)

    assert taken == Taken((), (), (sent.submission,), ())
    assert (contents(desk), events(desk)) == before


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(lambda sent: replace(sent, day=sent.day + timedelta(days=1)), id="another day"),
        pytest.param(lambda sent: replace(sent, parts=sent.parts[:-1]), id="a part less"),
        pytest.param(lambda sent: replace(sent, source=replace(sent.source, collection="d" * 32)), id="another source"),
        pytest.param(lambda sent: replace(sent, submission="e" * 32), id="the same parts as another submission"),
    ],
)
def test_a_submission_that_changed_its_story_is_a_conflict(desk: Desk, drop: Drop, sent: Sent, lie: object) -> None:
    assert callable(lie)
    take_in(drop.bag(sent), desk)
    before = contents(desk), events(desk)
    told: Sent = lie(sent)

    taken = take_in(drop.bag(told), desk)

    assert taken == Taken((), (), (told.submission,), ())
    assert (contents(desk), events(desk)) == before


def test_one_conflict_does_not_keep_the_rest_out(desk: Desk, drop: Drop, sent: Sent) -> None:
    take_in(drop.bag(sent), desk)
    changed = replace(drop.send(drop.source(), words("x")), submission=sent.submission)
    new = drop.send(drop.source("slow linden"), words("y"))

    taken = take_in(drop.bag(changed, new), desk)

    assert (taken.new, taken.conflicts) == ((new.submission,), (sent.submission,))


def test_a_shelf_that_was_damaged_is_told_and_a_missing_one_is_made_good(desk: Desk, drop: Drop, sent: Sent) -> None:
    bag = drop.bag(sent)
    take_in(bag, desk)
    whole = contents(desk)
    shelf = desk.layout.sealed / sent.submission
    victim = next(shelf.iterdir())
    victim.write_bytes(b"rot")

    assert take_in(bag, desk).conflicts == (sent.submission,)
    assert victim.read_bytes() == b"rot"

    shutil.rmtree(shelf)

    assert take_in(bag, desk).known == (sent.submission,)
    assert contents(desk) == whole


def test_a_bag_of_another_drop_is_refused(desk: Desk, drop: Drop, sent: Sent) -> None:
    index = replace(drop.index(sent), drop=OTHER_LOG.key.name)

    with pytest.raises(IntakeError, match="another drop"):
        take_in(drop.written(index, drop.promises(sent), sent), desk)

    assert nothing_of(desk)


def test_a_bag_under_a_keyset_that_nobody_verified_is_refused(desk: Desk, drop: Drop, sent: Sent) -> None:
    bag = replace_keyset(drop).bag(sent)

    with pytest.raises(IntakeError, match="a keyset that was not verified here"):
        take_in(bag, desk)

    assert nothing_of(desk)


def replace_keyset(drop: Drop) -> Drop:
    return replace(drop, keyset=replace(drop.keyset, quorum=1))


@pytest.mark.parametrize("pieces", [23, pytest.param(199, marks=pytest.mark.full)])
def test_a_bag_that_was_cut_is_refused_and_leaves_nothing(desk: Desk, drop: Drop, sent: Sent, pieces: int) -> None:
    bag = drop.bag(sent)
    size = bag.stat().st_size
    for number in range(pieces):
        os.truncate(bag, size - 1 - number * size // pieces)

        with pytest.raises(IntakeError):
            take_in(bag, desk)

        assert nothing_of(desk)


@pytest.mark.parametrize("pieces", [29, pytest.param(499, marks=pytest.mark.full)])
def test_a_bag_that_was_changed_anywhere_is_refused_and_leaves_nothing(
    desk: Desk, drop: Drop, sent: Sent, pieces: int
) -> None:
    bag = drop.bag(sent)
    whole = bag.read_bytes()
    for at in range(3, len(whole), len(whole) // pieces):
        changed = bytearray(whole)
        changed[at] ^= 0x10
        bag.write_bytes(changed)

        with pytest.raises(IntakeError):
            take_in(bag, desk)

        assert nothing_of(desk)


def test_what_is_no_bag_is_refused(desk: Desk, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(IntakeError):
            take_in(path, desk)


def test_a_promise_that_is_missing_is_told_and_nothing_is_lost(desk: Desk, drop: Drop, sent: Sent) -> None:
    taken = take_in(drop.written(drop.index(sent), {}, sent), desk)

    assert taken.new == (sent.submission,)
    assert len(taken.problems) == 3
    assert all("given no promise" in problem for problem in taken.problems)
    assert len(desk.cases().submissions[sent.submission].problems) == 3


@pytest.mark.check("T8")
def test_the_same_bag_again_tells_the_same_problems(desk: Desk, drop: Drop, sent: Sent) -> None:
    """An import that was cut off after it was recorded has told nobody."""
    bag = drop.written(drop.index(sent), {}, sent)

    assert take_in(bag, desk).problems == take_in(bag, desk).problems


def test_a_promise_that_comes_later_is_kept(desk: Desk, drop: Drop, sent: Sent) -> None:
    take_in(drop.written(drop.index(sent), {}, sent), desk)

    assert take_in(drop.bag(sent), desk).problems == ()
    assert len(list(desk.layout.promises.iterdir())) == 3
    # Once the log has merged them, bags come without.
    assert take_in(drop.written(drop.index(sent), {}, sent), desk).problems == ()


def test_promises_of_another_log_are_told_and_not_kept(desk: Desk, drop: Drop, sent: Sent) -> None:
    promises = replace(drop, log=OTHER_LOG).promises(sent)

    taken = take_in(drop.written(drop.index(sent), promises, sent), desk)

    assert taken.new == (sent.submission,)
    assert len(taken.problems) == 3
    assert all("does not hold" in problem for problem in taken.problems)
    assert list(desk.layout.promises.iterdir()) == []


def test_promises_that_speak_of_something_else_are_told(desk: Desk, drop: Drop, sent: Sent) -> None:
    promises = drop.promises(sent)
    first, second, third = promises
    leaf = bytes.fromhex(first)
    late = sign_promise(Promise(LOG.key.name, leaf, sent.day + timedelta(days=1)), LOG.key, LOG.sign)
    exchanged = {first: late, second: promises[third], third: promises[second]}

    taken = take_in(drop.written(drop.index(sent), exchanged, sent), desk)

    assert taken.new == (sent.submission,)
    assert sum("speaks of something else" in problem for problem in taken.problems) == 3


def test_a_wrong_promise_never_takes_the_place_of_a_good_one(desk: Desk, drop: Drop, sent: Sent) -> None:
    take_in(drop.bag(sent), desk)
    before = contents(desk)
    promises = dict.fromkeys(drop.promises(sent), b"garbage")

    taken = take_in(drop.written(drop.index(sent), promises, sent), desk)

    assert len(taken.problems) == 3
    assert contents(desk) == before


def test_promises_for_things_that_did_not_come_are_told(desk: Desk, drop: Drop, sent: Sent) -> None:
    promises = dict.fromkeys(["0" * 64, "1" * 64], b"garbage")

    taken = take_in(drop.written(drop.index(sent), promises, sent), desk)

    assert "the bag holds promises for things that are not in it: 2" in taken.problems


@pytest.mark.check("Q5")
def test_what_is_no_sealed_message_is_told_and_taken_in(desk: Desk, drop: Drop, sent: Sent) -> None:
    garbage = os.urandom(70_000)
    sent.parts[0].path.write_bytes(garbage)
    digest = hashlib.sha256(garbage).hexdigest()
    part = replace(sent.parts[0], sealed=replace(sent.parts[0].sealed, sha256=digest, size_bytes=len(garbage)))

    taken = take_in(drop.bag(replace(sent, parts=(part, *sent.parts[1:]))), desk)

    assert taken.new == (sent.submission,)
    assert [problem.partition(": ")[2] for problem in taken.problems] == [
        f"part {part.sealed.part_id} is no sealed message"
    ]


@pytest.mark.parametrize("change", ["one more", "one less"])
def test_an_added_or_missing_recipient_is_told(
    desk: Desk, drop: Drop, recipients: Recipients, change: str, joined: Recipients
) -> None:
    wrong = joined if change == "one more" else without_last(recipients)
    source = drop.source()
    part = drop.seal(words("to somebody else as well"), recipients=wrong)
    sent = drop.sent(source, [part])

    taken = take_in(drop.bag(sent), desk)

    assert taken.new == (sent.submission,)
    count = 3 if change == "one more" else 1
    told = f"part {part.sealed.part_id} is sealed to {count} keys, which no verified keyset explains"
    assert taken.problems == (f"submission {sent.submission}: {told}",)


def test_another_key_or_designation_for_a_known_source_is_told(desk: Desk, drop: Drop, sent: Sent) -> None:
    take_in(drop.bag(sent), desk)
    other = replace(drop.source("slow linden"), collection=sent.source.collection)

    taken = take_in(drop.bag(drop.send(other, words("x"))), desk)

    assert len(taken.new) == 1
    assert [problem.partition(": ")[2] for problem in taken.problems] == [
        "the server names another key for its source than before",
        "the server gives its source another designation than before",
    ]
    assert desk.cases().collections[sent.source.collection].source_key == sent.source.public_key


def test_an_inbox_that_its_source_has_closed_is_no_problem(desk: Desk, drop: Drop, sent: Sent) -> None:
    take_in(drop.bag(sent), desk)

    taken = take_in(drop.closed_bag(sent, drop.send(sent.source, words("and one more"))), desk)

    assert len(taken.new) == 1
    assert taken.problems == ()
    assert desk.cases().collections[sent.source.collection].source_key == sent.source.public_key


def test_every_import_of_something_new_is_one_signed_event(desk: Desk, drop: Drop, sent: Sent) -> None:
    take_in(drop.bag(sent, drop.send(drop.source(), words("x"))), desk)

    assert [signed.event.kind for signed in desk.log.events()] == [Kind.KEYSET, Kind.IMPORTED]
    assert desk.verify_log().events == 2


@contextmanager
def room(size_bytes: int) -> Iterator[None]:
    """No file may grow beyond this, as on a disk that is full."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))


def test_a_full_disk_leaves_nothing_and_afterwards_the_same_command_works(desk: Desk, drop: Drop, sent: Sent) -> None:
    bag = drop.bag(sent)

    with room(20_000), pytest.raises(OSError, match="large"):
        take_in(bag, desk)

    assert nothing_of(desk)
    assert take_in(bag, desk).new == (sent.submission,)


def many(drop: Drop, count: int) -> tuple[Index, dict[str, bytes], list[Sent]]:
    """As many submissions as wanted, of one part that was really sealed and has many names."""
    sealed = drop.seal(words("x"))
    sent = [
        Sent(
            replace(drop.source(), collection=f"{number:032x}"),
            f"{number:032x}",
            (replace(sealed, sealed=replace(sealed.sealed, part_id=f"{number:032x}")),),
        )
        for number in range(count)
    ]
    return drop.index(*sent), drop.promises(sent[0]), sent


@pytest.mark.check("T8")
@pytest.mark.parametrize("count", [300, pytest.param(2000, marks=pytest.mark.full)])
def test_a_large_bag_is_taken_in_and_known_again(desk: Desk, drop: Drop, count: int) -> None:
    index, promises, sent = many(drop, count)
    bag = drop.written(index, promises, *sent)

    assert len(take_in(bag, desk).new) == count
    assert len(take_in(bag, desk).known) == count
