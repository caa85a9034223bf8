import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from casework.errors import StoreFailedError
from casework.events import Kind
from casework.views import KnownSubmission
from hardening.files import destroy
from keys.errors import KeysError
from keys.keyset_trust import SignedKeyset
from keys.opening import DamagedError, NoKeyError, NotSealedError
from keys.recipients import Recipients
from tests.drop import Drop, Item, SealedPart, Sent, file, words
from tests.keyring import Reviewer, make_keyset, signed_by, without_last
from tests.workstation.conftest import Sit
from tests.workstation.names_corpus import NAMES
from workstation.desk import Desk
from workstation.errors import ReadingError, UnknownIdError
from workstation.finding import find, find_collection
from workstation.intake import take_in
from workstation.reading import NAMES as MAP
from workstation.reading import judge, open_all, open_submission


@pytest.fixture
def sent(drop: Drop) -> Sent:
    return drop.send(drop.source(), words("Добрий день"), file("нотатка.pdf", b"%PDF-" + bytes(100_000)))


def taken_in(desk: Desk, drop: Drop, *sent: Sent) -> list[KnownSubmission]:
    take_in(drop.bag(*sent), desk)
    return [desk.cases().submissions[each.submission] for each in sent]


def kinds(desk: Desk) -> list[Kind]:
    return [signed.event.kind for signed in desk.log.events()]


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "drop")


def test_what_a_source_sent_comes_out_byte_for_byte(desk: Desk, drop: Drop, sent: Sent, tmp_path: Path) -> None:
    (submission,) = taken_in(desk, drop, sent)

    opened = open_submission(judge(submission, desk), tmp_path / "out", desk)

    assert [text for _trailer, text in opened.messages] == ["Добрий день"]
    assert [(each.path.name, each.path.read_bytes()) for each in opened.files] == [
        ("нотатка.pdf", b"%PDF-" + bytes(100_000))
    ]
    assert json.loads((tmp_path / "out" / MAP).read_bytes()) == {"нотатка.pdf": "нотатка.pdf"}
    assert opened.problems == ()
    assert opened.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in opened.folder.iterdir()} == {0o600}
    assert kinds(desk) == [Kind.KEYSET, Kind.IMPORTED, Kind.OPENED]
    assert desk.cases().opened == {sent.submission: sent.source.public_key}


def test_two_reviewers_open_the_same_bag(
    sit: Sit, reviewers: tuple[Reviewer, Reviewer], drop: Drop, sent: Sent, tmp_path: Path
) -> None:
    """Recipients are hidden, so each finds her own packet by trying."""
    for reviewer in reviewers:
        desk = sit(reviewer)
        (submission,) = taken_in(desk, drop, sent)

        opened = open_submission(judge(submission, desk), tmp_path / reviewer.name, desk)

        assert opened.files[0].path.read_bytes() == b"%PDF-" + bytes(100_000)
        assert desk.verify_log().events == 3


@pytest.mark.check("Q4", "Q6")
def test_sixty_hostile_names_are_only_names(desk: Desk, drop: Drop, tmp_path: Path) -> None:
    names = [name.encode("utf-8", "replace").decode() for name in NAMES]
    (submission,) = taken_in(desk, drop, drop.send(drop.source(), *(file(name, name.encode()) for name in names)))

    opened = open_submission(judge(submission, desk), tmp_path / "out", desk)

    assert {each.trailer.name for each in opened.files} == set(names)
    assert all(each.path.read_bytes() == each.trailer.name.encode() for each in opened.files)
    assert len(list((tmp_path / "out").iterdir())) == 61
    assert all(path.is_file() and not path.is_symlink() for path in (tmp_path / "out").iterdir())
    originals = json.loads((tmp_path / "out" / MAP).read_bytes())
    assert originals == {each.path.name: each.trailer.name for each in opened.files}
    assert left(tmp_path) == ["out"]


Spoil = Callable[[Drop, Sent], Sent]


def _without_a_part(_drop: Drop, sent: Sent) -> Sent:
    return replace(sent, parts=sent.parts[1:])


def _with_a_part_more(drop: Drop, sent: Sent) -> Sent:
    return replace(sent, parts=(drop.seal(words("planted")), *sent.parts))


def _with_a_part_exchanged(drop: Drop, sent: Sent) -> Sent:
    planted = drop.seal(words("planted"), part_id=sent.parts[0].sealed.part_id)
    return replace(sent, parts=(planted, *sent.parts[1:]))


def _with_two_parts_swapped(_drop: Drop, sent: Sent) -> Sent:
    first, second, *others = sent.parts
    swapped = (
        replace(first, sealed=replace(second.sealed, part_id=first.sealed.part_id), path=second.path),
        replace(second, sealed=replace(first.sealed, part_id=second.sealed.part_id), path=first.path),
    )
    return replace(sent, parts=(*swapped, *others))


def _without_a_manifest(_drop: Drop, sent: Sent) -> Sent:
    return replace(sent, parts=sent.parts[:-1])


def _with_two_manifests(drop: Drop, sent: Sent) -> Sent:
    return replace(sent, parts=(*sent.parts, drop.seal_manifest(drop.manifest(sent.source, sent.parts[:-1]))))


def _with_another_kind(drop: Drop, sent: Sent) -> Sent:
    """The message is sealed as a file: its label and the manifest disagree."""
    part = drop.seal(Item("file", b"x"), part_id=sent.parts[0].sealed.part_id)
    honest = drop.manifest(sent.source, [part])
    lie = replace(honest, parts=(replace(honest.parts[0], kind="message"),))
    return replace(sent, parts=(part, drop.seal_manifest(lie)))


def _under_another_keyset(drop: Drop, sent: Sent) -> Sent:
    other = replace(drop.manifest(sent.source, sent.parts[:-1]), keyset_hash="5" * 64)
    return replace(sent, parts=(*sent.parts[:-1], drop.seal_manifest(other)))


def _with_a_manifest_that_is_none(drop: Drop, sent: Sent) -> Sent:
    return replace(sent, parts=(*sent.parts[:-1], drop.seal(Item("manifest", b"{}"))))


def _with_a_manifest_that_is_huge(drop: Drop, sent: Sent) -> Sent:
    return replace(sent, parts=(*sent.parts[:-1], drop.seal(Item("manifest", b" " * 70_000))))


def _with_a_message_that_is_huge(drop: Drop, sent: Sent) -> Sent:
    return drop.sent(sent.source, [drop.seal(Item("message", b"x" * (4 * 1024 * 1024 + 1)))])


@pytest.mark.check("R6")
@pytest.mark.parametrize(
    "spoil",
    [
        _without_a_part,
        _with_a_part_more,
        _with_a_part_exchanged,
        _with_two_parts_swapped,
        _without_a_manifest,
        _with_two_manifests,
        _with_another_kind,
        _under_another_keyset,
        _with_a_manifest_that_is_none,
        _with_a_manifest_that_is_huge,
        _with_a_message_that_is_huge,
    ],
)
def test_what_does_not_agree_with_its_manifest_is_not_let_out(
    desk: Desk, drop: Drop, sent: Sent, tmp_path: Path, spoil: Spoil
) -> None:
    (submission,) = taken_in(desk, drop, spoil(drop, sent))

    with pytest.raises((ReadingError, KeysError)):
        open_submission(judge(submission, desk), tmp_path / "out", desk)

    assert left(tmp_path) == []
    assert Kind.OPENED not in kinds(desk)


@pytest.mark.parametrize("change", ["one more", "one less"])
def test_a_part_sealed_to_other_keys_than_the_keyset_says_is_not_let_out(
    desk: Desk, drop: Drop, recipients: Recipients, joined: Recipients, change: str
) -> None:
    wrong = joined if change == "one more" else without_last(recipients)
    (submission,) = taken_in(desk, drop, drop.sent(drop.source(), [drop.seal(words("x"), recipients=wrong)]))

    # With one reviewer less it may be the one at this desk.
    with pytest.raises((ReadingError, NoKeyError), match=r"other keys than its keyset says|none of the keys here"):
        judge(submission, desk)


def test_a_submission_that_took_days_to_arrive_is_opened(desk: Desk, drop: Drop, sent: Sent) -> None:
    assert judge(taken_in(desk, drop, replace(sent, day=sent.day + timedelta(days=3)))[0], desk).problems == ()


@pytest.mark.check("Q2", "G2")
@pytest.mark.parametrize("flips", [12, pytest.param(200, marks=pytest.mark.full)])
def test_a_part_damaged_after_its_import_is_never_let_out(
    desk: Desk, drop: Drop, sent: Sent, tmp_path: Path, flips: int
) -> None:
    cuts = flips // 4
    (submission,) = taken_in(desk, drop, sent)
    path = desk.layout.sealed / sent.submission / f"{sent.parts[1].sealed.part_id}.gpg"
    whole = path.read_bytes()
    spoiled = [whole[: number * len(whole) // cuts] for number in range(cuts)]
    for number in range(flips):
        at = number * len(whole) // flips
        spoiled.append(whole[:at] + bytes([whole[at] ^ 1 << number % 8]) + whole[at + 1 :])

    for content in spoiled:
        path.write_bytes(content)
        with pytest.raises(KeysError):
            open_submission(judge(submission, desk), tmp_path / "out", desk)

    assert left(tmp_path) == []
    assert Kind.OPENED not in kinds(desk)
    path.write_bytes(whole)
    assert open_submission(judge(submission, desk), tmp_path / "out", desk).files


@pytest.mark.check("Q2")
def test_a_part_exchanged_between_verdict_and_release_destroys_the_folder(
    desk: Desk, drop: Drop, sent: Sent, tmp_path: Path
) -> None:
    (submission,) = taken_in(desk, drop, sent)
    judgement = judge(submission, desk)
    planted = drop.seal(file("x", b"planted"), part_id=sent.parts[1].sealed.part_id)
    (desk.layout.sealed / sent.submission / f"{planted.sealed.part_id}.gpg").write_bytes(planted.path.read_bytes())

    with pytest.raises((DamagedError, NoKeyError)):
        open_submission(judgement, tmp_path / "out", desk)

    assert left(tmp_path) == []
    assert Kind.OPENED not in kinds(desk)


def test_a_part_that_is_gone_is_told(desk: Desk, drop: Drop, sent: Sent) -> None:
    (submission,) = taken_in(desk, drop, sent)
    destroy(desk.layout.sealed / sent.submission)

    with pytest.raises(ReadingError, match="is gone from this workstation"):
        judge(submission, desk)


def test_a_log_that_cannot_be_written_destroys_the_folder(desk: Desk, drop: Drop, sent: Sent, tmp_path: Path) -> None:
    """What was read must be recorded, or is not read."""
    (submission,) = taken_in(desk, drop, sent)
    judgement = judge(submission, desk)
    with desk.log._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")

    with pytest.raises(StoreFailedError):
        open_submission(judgement, tmp_path / "out", desk)

    assert left(tmp_path) == []


def test_all_of_a_source_come_out_or_none(desk: Desk, drop: Drop, sent: Sent, tmp_path: Path) -> None:
    second = drop.send(sent.source, file("b", b"second"))
    taken = taken_in(desk, drop, sent, second)
    judged = [judge(each, desk) for each in taken]
    victim = desk.layout.sealed / second.submission / f"{second.parts[0].sealed.part_id}.gpg"
    whole = victim.read_bytes()
    victim.write_bytes(whole[:-1])

    with pytest.raises(DamagedError):
        open_all(judged, tmp_path / "out", desk)
    assert left(tmp_path) == []

    victim.write_bytes(whole)
    opened = open_all(judged, tmp_path / "out", desk)
    assert [each.folder for each in opened] == [tmp_path / "out" / each.submission_id for each in taken]
    assert opened[1].files[0].path.read_bytes() == b"second"


def test_a_folder_that_is_there_is_not_touched(desk: Desk, drop: Drop, sent: Sent, tmp_path: Path) -> None:
    (submission,) = taken_in(desk, drop, sent)
    (tmp_path / "out").mkdir()

    with pytest.raises(FileExistsError):
        open_submission(judge(submission, desk), tmp_path / "out", desk)

    assert left(tmp_path / "out") == []


def test_a_server_that_lies_about_whose_it_is_is_told_and_the_report_is_read(
    desk: Desk, drop: Drop, sent: Sent, tmp_path: Path
) -> None:
    other = replace(drop.source(), collection=sent.source.collection)
    (submission,) = taken_in(desk, drop, replace(sent, source=other))

    opened = open_submission(judge(submission, desk), tmp_path / "out", desk)

    assert opened.messages[0][1] == "Добрий день"
    assert len(opened.problems) == 1
    assert "another key for this source" in opened.problems[0]


def test_a_report_whose_source_has_closed_her_inbox_is_read_without_alarm(
    desk: Desk, drop: Drop, sent: Sent, tmp_path: Path
) -> None:
    take_in(drop.closed_bag(sent), desk)
    (submission,) = desk.cases().of_collection(sent.source.collection)

    opened = open_submission(judge(submission, desk), tmp_path / "out", desk)

    assert opened.messages[0][1] == "Добрий день"
    assert opened.problems == ()


def test_a_closed_inbox_does_not_hide_that_a_report_is_filed_under_the_wrong_source(
    desk: Desk, drop: Drop, sent: Sent
) -> None:
    take_in(drop.bag(sent), desk)
    misfiled = replace(drop.send(drop.source(), words("from another source")), source=sent.source)
    take_in(drop.closed_bag(misfiled), desk)

    judgement = judge(desk.cases().submissions[misfiled.submission], desk)

    assert len(judgement.problems) == 1
    assert "another key for this source" in judgement.problems[0]


@pytest.mark.check("Q5")
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nx\n", id="clear-signed"),
        pytest.param(bytes.fromhex("c30d04090308") + os.urandom(8) + b"\xff" + os.urandom(70_000), id="a password's"),
        pytest.param(os.urandom(70_000), id="noise"),
    ],
)
def test_what_is_no_sealed_part_is_refused_without_asking_for_a_passphrase(
    desk: Desk, drop: Drop, sent: Sent, content: bytes
) -> None:
    (submission,) = taken_in(desk, drop, sent)
    path = desk.layout.sealed / sent.submission / f"{sent.parts[0].sealed.part_id}.gpg"
    path.write_bytes(content)

    with pytest.raises(NotSealedError):
        judge(submission, desk)


def test_what_is_sealed_to_others_is_refused_clearly(
    desk: Desk, drop: Drop, sent: Sent, recipients: Recipients, joined: Recipients
) -> None:
    others = replace(joined, files=joined.files[-1:], subkeys=joined.subkeys[-1:], algorithms=joined.algorithms[-1:])
    part = drop.seal(words("x"), recipients=others, part_id=sent.parts[0].sealed.part_id)
    (submission,) = taken_in(desk, drop, replace(sent, parts=(part, *sent.parts[1:])))

    with pytest.raises(NoKeyError, match="none of the keys here opens this part"):
        judge(submission, desk)


@pytest.mark.check("G9")
def test_what_was_sealed_under_an_older_keyset_still_opens(
    desk: Desk, drop: Drop, sent: Sent, reviewers: tuple[Reviewer, Reviewer], signed_keyset: SignedKeyset
) -> None:
    first = signed_keyset.keyset
    second = first.succeeded(first.created + timedelta(days=1), first.recipients, first.signers)
    desk.learn_keyset(signed_by(second, reviewers))
    (submission,) = taken_in(desk, replace(drop, keyset=second), sent)

    assert judge(submission, desk).manifest.keyset_hash == first.hash
    assert make_keyset(reviewers, drop.gpg).hash == first.hash


def test_a_submission_is_found_by_designation_and_by_the_start_of_an_id(desk: Desk, drop: Drop, sent: Sent) -> None:
    taken_in(desk, drop, sent)
    cases = desk.cases()

    for name in (
        "quiet heron",
        "Quiet-Heron",
        " quiet  heron ",
        sent.submission[:8],
        sent.source.collection[:4].upper(),
    ):
        assert [one.submission_id for one in find(cases, name)] == [sent.submission]
    assert find_collection(cases, "quiet heron").collection_id == sent.source.collection


def test_a_name_that_means_nothing_or_two_things_is_refused(desk: Desk, drop: Drop) -> None:
    def stored(part: SealedPart, number: int, designation: str) -> Sent:
        source = replace(drop.source(designation), collection=f"cccc{number:028x}")
        part = replace(part, sealed=replace(part.sealed, part_id=f"{number:032x}"))
        return Sent(source, f"aaaa{number:028x}", (part,))

    part = drop.seal(words("x"))
    taken_in(desk, drop, stored(part, 1, "quiet heron"), stored(part, 2, "quiet heron"), stored(part, 3, "slow linden"))
    cases = desk.cases()

    for unknown in ("", "nobody", "bbbb", "ccc", "quiet"):
        with pytest.raises(UnknownIdError, match="nothing answers"):
            find(cases, unknown)
    for ambiguous in ("quiet heron", "aaaa", "cccc"):
        with pytest.raises(UnknownIdError, match="more than one"):
            find(cases, ambiguous)
    assert len(find(cases, f"cccc{1:028x}")) == 1
