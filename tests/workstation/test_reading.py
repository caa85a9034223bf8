from pathlib import Path

from tests.drop import Drop, file, words
from workstation.desk import Desk
from workstation.intake import take_in
from workstation.reading import find, judge, open_submission


def test_what_a_source_sent_comes_out_byte_for_byte(desk: Desk, drop: Drop, tmp_path: Path) -> None:
    source = drop.source()
    sent = drop.send(source, words("Добрий день"), file("нотатка.pdf", b"%PDF-" + bytes(100_000)))
    take_in(drop.bag(sent), desk)

    (submission,) = find(desk.cases(), "quiet heron")
    opened = open_submission(judge(submission, desk), tmp_path / "out", desk)

    assert [text for _trailer, text in opened.messages] == ["Добрий день"]
    assert [(each.path.name, each.path.read_bytes()) for each in opened.files] == [
        ("нотатка.pdf", b"%PDF-" + bytes(100_000))
    ]
    assert opened.problems == ()
