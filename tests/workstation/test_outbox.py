import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bags.errors import BagSignatureError
from bags.returns import ReturnBag, open_return
from casework.events import Kind
from hardening.canonical import JSON
from keys.errors import SignatureError
from keys.gpg import Gpg
from keys.keyset import Keyset
from keys.signing import verify_detached
from keys.source_key import LONGEST_REPLY_BYTES, open_reply
from questionnaire.parting import consents_part, report_parts
from tests.drop import Drop, Item, Sent, documents, words
from tests.keyring import DAY, Reviewer
from tests.ledger.signers import LOG
from tests.questionnaire.documents import heading
from tests.workstation.conftest import Sit
from workstation.desk import Desk
from workstation.errors import OutboxError
from workstation.intake import take_in
from workstation.outbox import Returned, pack, pack_again, reply
from workstation.reading import judge, open_submission


@pytest.fixture
def sent(drop: Drop, desk: Desk) -> Sent:
    sent = drop.send(drop.source(), words("hello"))
    take_in(drop.bag(sent), desk)
    return sent


def answer(desk: Desk, sent: Sent, text: str) -> None:
    reply(desk.cases().collections[sent.source.collection], text, desk)


def as_the_server_reads(
    returned: Returned, keyset: Keyset, gpg: Gpg, drop: str = LOG.key.name, day: date = DAY
) -> ReturnBag:
    """Take a return bag as the reviewers' interface does."""
    certificates = {signer.fingerprint: signer.certificate for signer in keyset.signers}

    def verify(bag: Path, signature: bytes) -> str:
        return str(verify_detached(bag, signature, certificates, gpg, day))

    return open_return(returned.bag, returned.signature.read_bytes(), verify, drop)


@pytest.mark.check("R2")
def test_the_server_takes_the_bag_and_the_source_reads_the_reply(desk: Desk, drop: Drop, sent: Sent) -> None:
    answer(desk, sent, "Дякуємо. Чи є ще свідки?")

    bag = as_the_server_reads(pack(desk), drop.keyset, drop.gpg)

    (written,) = bag.replies
    assert written.collection == sent.source.collection
    assert open_reply(written.box, bytes(sent.source.key)) == "Дякуємо. Чи є ще свідки?"
    assert bag.imported == tuple(sorted(part.sealed.sha256 for part in sent.parts))
    assert (bag.sequence, bag.signer) == (1, str(desk.about.reviewer))


@pytest.mark.check("R2")
def test_a_bag_or_a_signature_that_is_not_hers_is_refused(
    desk: Desk, drop: Drop, sent: Sent, sit: Sit, birch: Reviewer
) -> None:
    answer(desk, sent, "words")
    returned = pack(desk)
    other = sit(birch)
    signature = returned.signature.read_bytes()

    for wrong in (signature[:-1] + bytes([signature[-1] ^ 1]), signature + signature, b"", b"-----BEGIN PGP SIGNATURE"):
        returned.signature.write_bytes(wrong)
        with pytest.raises((SignatureError, BagSignatureError)):
            as_the_server_reads(returned, drop.keyset, drop.gpg)
    returned.signature.write_bytes(other.sign(returned.bag))
    with pytest.raises(BagSignatureError, match="another signer"):
        as_the_server_reads(returned, drop.keyset, drop.gpg)
    returned.signature.write_bytes(signature)
    with pytest.raises(BagSignatureError, match="another drop"):
        as_the_server_reads(returned, drop.keyset, drop.gpg, "log-other")
    returned.bag.write_bytes(returned.bag.read_bytes().replace(b"return 1", b"return 2"))
    with pytest.raises(SignatureError):
        as_the_server_reads(returned, drop.keyset, drop.gpg)


def test_a_reply_is_sealed_to_the_key_that_the_source_herself_named(desk: Desk, drop: Drop, sent: Sent) -> None:
    impostor = replace(drop.source("slow linden"), collection="d" * 32)
    lie = replace(drop.send(sent.source, words("x")), source=impostor)
    take_in(drop.bag(lie), desk)

    with pytest.raises(OutboxError, match="do not answer here"):
        reply(desk.cases().collections["d" * 32], "words", desk)

    assert desk.cases().replies == {}


def test_nobody_is_answered_who_has_closed_her_inbox(desk: Desk, drop: Drop) -> None:
    gone = drop.send(drop.source(), words("x"))
    take_in(drop.closed_bag(gone), desk)

    with pytest.raises(OutboxError, match="closed her inbox"):
        reply(desk.cases().collections[gone.source.collection], "words", desk)

    assert desk.cases().replies == {}


def test_one_opened_submission_of_somebody_else_stops_the_answer(
    desk: Desk, drop: Drop, sent: Sent, tmp_path: Path
) -> None:
    """The server filed another source's report here: an answer to it would reach the wrong person."""
    other = drop.send(drop.source(), words("from another source"))
    take_in(drop.bag(replace(other, source=sent.source)), desk)
    for submission in desk.cases().of_collection(sent.source.collection):
        open_submission(judge(submission, desk), tmp_path / submission.submission_id, desk)

    with pytest.raises(OutboxError, match="do not answer here"):
        answer(desk, sent, "words")


def test_an_opened_source_is_answered_without_reading_all_again(
    desk: Desk, drop: Drop, sent: Sent, tmp_path: Path
) -> None:
    (submission,) = desk.cases().of_collection(sent.source.collection)
    open_submission(judge(submission, desk), tmp_path / "out", desk)
    shutil.rmtree(desk.layout.sealed / sent.submission)

    answer(desk, sent, "words")

    assert len(desk.cases().unreturned()) == 1


def read(desk: Desk, drop: Drop, sent: Sent, tmp_path: Path) -> None:
    take_in(drop.bag(sent), desk)
    open_submission(judge(desk.cases().submissions[sent.submission], desk), tmp_path / sent.submission, desk)


def allowing(drop: Drop, seq: int = 1, /, **answers: JSON) -> tuple[Item, ...]:
    return documents(report_parts(drop.form, answers, heading(drop.form, seq)))


def test_a_source_who_allows_it_is_answered(desk: Desk, drop: Drop, sent: Sent, tmp_path: Path) -> None:
    read(desk, drop, drop.send(sent.source, *allowing(drop, c2="yes")), tmp_path)

    answer(desk, sent, "words")

    assert len(desk.cases().unreturned()) == 1


@pytest.mark.parametrize("answers", [{}, {"c2": "no"}])
def test_nobody_is_answered_who_was_asked_and_did_not_say_yes(
    desk: Desk, drop: Drop, sent: Sent, tmp_path: Path, answers: dict[str, JSON]
) -> None:
    """A message in the same inbox is no permission: she may have written it before."""
    read(desk, drop, drop.send(sent.source, *allowing(drop, **answers)), tmp_path)

    with pytest.raises(OutboxError, match="has not allowed"):
        answer(desk, sent, "words")

    assert desk.cases().replies == {}


def test_what_a_source_allows_can_change(desk: Desk, drop: Drop, sent: Sent, tmp_path: Path) -> None:
    read(desk, drop, drop.send(sent.source, *allowing(drop, 1, c2="yes")), tmp_path)
    for seq, now in ((2, "no"), (3, "yes")):
        changed = consents_part(drop.form, {"c2": now}, heading(drop.form, seq))
        read(desk, drop, drop.send(sent.source, *documents([changed])), tmp_path)
        if now == "no":
            with pytest.raises(OutboxError, match="has not allowed"):
                answer(desk, sent, "words")

    answer(desk, sent, "words")


def test_a_yes_beside_a_no_of_the_same_number_is_no(desk: Desk, drop: Drop, sent: Sent, tmp_path: Path) -> None:
    for said in ("yes", "no"):
        read(desk, drop, drop.send(sent.source, *allowing(drop, 1, c2=said)), tmp_path)

    with pytest.raises(OutboxError, match="has not allowed"):
        answer(desk, sent, "words")


@pytest.mark.parametrize("said", [("", "no", "yes"), ("", "yes", "no"), ("", "yes", "")])
def test_of_several_reports_the_last_answer_holds(
    desk: Desk, drop: Drop, sent: Sent, tmp_path: Path, said: tuple[str, ...]
) -> None:
    """Whoever sent half a report and then another one was perhaps asked in one of them alone."""
    for seq, one in enumerate(said, 1):
        answers: dict[str, JSON] = {"c2": one} if one else {}
        report = report_parts(drop.form, answers, heading(drop.form, seq, f"{seq}" * 32))
        read(desk, drop, drop.send(sent.source, *documents(report)), tmp_path)

    if said[-1] != "no":
        answer(desk, sent, "words")
    else:
        with pytest.raises(OutboxError, match="has not allowed"):
            answer(desk, sent, "words")


def test_a_report_is_read_before_it_is_answered(desk: Desk, drop: Drop, sent: Sent, tmp_path: Path) -> None:
    read(desk, drop, drop.send(sent.source, *allowing(drop, 1, c2="yes")), tmp_path)
    newer = drop.send(sent.source, *allowing(drop, 2, c2="no"))
    take_in(drop.bag(newer), desk)

    with pytest.raises(OutboxError, match="open them first"):
        answer(desk, sent, "words")


def test_a_report_that_the_server_calls_a_message_is_read_first_as_well(desk: Desk, drop: Drop) -> None:
    sent = drop.send(drop.source(), *allowing(drop, c2="no"))
    index = drop.index(sent)
    (collection,) = index.collections
    (submission,) = collection.submissions
    parts = tuple(replace(one, kind=one.kind.replace("report", "message")) for one in submission.parts)
    lying = replace(collection, submissions=(replace(submission, parts=parts),))
    take_in(drop.written(replace(index, collections=(lying,)), drop.promises(sent), sent), desk)

    with pytest.raises(OutboxError, match="open them first"):
        answer(desk, sent, "words")


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_a_reply_without_words_is_refused(desk: Desk, sent: Sent, text: str) -> None:
    with pytest.raises(OutboxError, match="has words"):
        answer(desk, sent, text)


def test_a_reply_that_is_too_long_is_refused(desk: Desk, sent: Sent) -> None:
    answer(desk, sent, "x" * LONGEST_REPLY_BYTES)

    with pytest.raises(OutboxError, match="at most"):
        answer(desk, sent, "x" * (LONGEST_REPLY_BYTES + 1))


def test_a_source_of_whom_nothing_is_here_is_not_answered(desk: Desk, sent: Sent) -> None:
    with pytest.raises(OutboxError, match="nothing from this source"):
        reply(replace(desk.cases().collections[sent.source.collection], collection_id="0" * 32), "words", desk)


def test_each_bag_has_the_next_number_and_carries_only_what_is_new(desk: Desk, drop: Drop, sent: Sent) -> None:
    answer(desk, sent, "first")
    first = as_the_server_reads(pack(desk), drop.keyset, drop.gpg)
    answer(desk, sent, "second")
    second = as_the_server_reads(pack(desk), drop.keyset, drop.gpg)

    assert (first.sequence, len(first.replies), len(first.imported)) == (1, 1, 2)
    assert (second.sequence, len(second.replies), len(second.imported)) == (2, 1, 0)
    with pytest.raises(OutboxError, match="nothing to send back"):
        pack(desk)
    assert sorted(path.name for path in desk.layout.outbox.iterdir()) == [
        "return-000001.tar",
        "return-000001.tar.sig",
        "return-000002.tar",
        "return-000002.tar.sig",
    ]
    assert desk.verify_log().events == 6


def test_a_bag_that_was_lost_is_made_again_to_the_byte(desk: Desk, drop: Drop, sent: Sent) -> None:
    answer(desk, sent, "first")
    made = pack(desk)
    whole = made.bag.read_bytes()
    made.bag.unlink()
    made.signature.unlink()
    answer(desk, sent, "second")
    pack(desk)
    before = len(list(desk.log.events()))

    again = pack_again(1, desk)

    assert again == made
    assert again.bag.read_bytes() == whole
    assert as_the_server_reads(again, drop.keyset, drop.gpg).sequence == 1
    assert len(list(desk.log.events())) == before
    for never in (0, 3, -1):
        with pytest.raises(OutboxError, match="was made here"):
            pack_again(never, desk)


@pytest.mark.parametrize("published", [[], ["sig"]])
def test_a_bag_whose_event_came_before_its_name_is_finished(
    desk: Desk, drop: Drop, sent: Sent, published: list[str]
) -> None:
    answer(desk, sent, "words")
    made = pack(desk)
    # As a crash leaves it: recorded, whole, and without its name.
    made.bag.rename(made.bag.with_name(f".{made.bag.name}"))
    if not published:
        made.signature.rename(made.signature.with_name(f".{made.signature.name}"))

    again = pack(desk)

    assert again == made
    assert as_the_server_reads(again, drop.keyset, drop.gpg).sequence == 1
    assert [signed.event.kind for signed in desk.log.events()].count(Kind.RETURNED) == 1


def test_a_bag_that_was_never_recorded_is_made_anew(desk: Desk, drop: Drop, sent: Sent) -> None:
    (desk.layout.outbox / ".return-000001.tar").write_bytes(b"half")
    (desk.layout.outbox / ".return-000001.tar.sig").write_bytes(b"old")

    assert as_the_server_reads(pack(desk), drop.keyset, drop.gpg).sequence == 1
    assert len(list(desk.layout.outbox.iterdir())) == 2
