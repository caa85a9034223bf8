import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workstation.names_corpus import NAMES
from workstation.names import escaped_json, safe_names, shown

GOLDEN = Path(__file__).parent.parent / "vectors" / "terminal" / "golden.json"

_WINDOWS = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])( *)(\..*)?")


def named(names: list[str]) -> dict[str, str]:
    return {f"{number:032x}": name for number, name in enumerate(names)}


def is_safe(name: str) -> bool:
    return (
        0 < len(name.encode()) <= 130
        and name[0] not in ".-~ "
        and name[-1] not in ". "
        and not re.search(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*]', name)
        and not _WINDOWS.fullmatch(name)
        and not any(unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for each in name)
        and unicodedata.is_normalized("NFC", name)
    )


@pytest.mark.check("Q6")
def test_sixty_names_become_safe_and_lie_in_one_folder(tmp_path: Path) -> None:
    assert len(NAMES) == 60
    given_names = named(NAMES)

    safe = safe_names(given_names.items(), reserved=("names.json",))

    assert safe.keys() == given_names.keys()
    assert [name for name in safe.values() if not is_safe(name)] == []
    folded = {unicodedata.normalize("NFKC", name).casefold() for name in (*safe.values(), "names.json")}
    assert len(folded) == 61
    for part_id, name in safe.items():
        (tmp_path / name).write_text(part_id)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: one for one, name in safe.items()}


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("нотатка.pdf", "нотатка.pdf"),
        ("شهادة.jpg", "شهادة.jpg"),
        ("My photo (1).JPG", "My photo (1).JPG"),
        ("../../.ssh/authorized_keys", "authorized_keys"),
        ("C:\\Users\\x\\report.docx", "report.docx"),
        ("", "00000000"),
        ("CON", "_CON"),
        ("a\x1b[2Jb.txt", "a[2Jb.txt"),
        ("x" * 300 + ".jpeg", "x" * 115 + ".jpeg"),
    ],
)
def test_a_name_stays_as_near_as_it_can(name: str, safe: str) -> None:
    assert safe_names(named([name]).items()) == {"0" * 32: safe}


def test_names_that_clash_are_counted() -> None:
    assert list(
        safe_names(named(["a.txt", "A.TXT", "a.txt", "a", "names.json"]).items(), ("names.json",)).values()
    ) == [
        "a.txt",
        "A-2.TXT",
        "a-3.txt",
        "a",
        "names-2.json",
    ]


@pytest.mark.check("Q6")
@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=300), max_size=6))
def test_any_names_become_safe_and_unique(names: list[str]) -> None:
    safe = list(safe_names(named(names).items()).values())

    assert all(is_safe(name) for name in safe)
    assert len({unicodedata.normalize("NFKC", name).casefold() for name in safe}) == len(names)


@pytest.mark.check("Q13")
@pytest.mark.parametrize("case", json.loads(GOLDEN.read_text()), ids=lambda case: case["what"])
def test_foreign_text_is_shown_as_in_the_golden_file(case: dict[str, str]) -> None:
    raw = case["raw"].encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")

    assert shown(raw) == case["line"]
    assert shown(raw, lines=True) == case["lines"]


@pytest.mark.check("Q13")
@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.characters(blacklist_categories=())))
def test_nothing_that_is_shown_acts_on_a_terminal(untrusted: str) -> None:
    line = shown(untrusted)
    lines = shown(untrusted, lines=True)

    assert all(byte >= 0x20 and byte != 0x7F for byte in line.encode())
    assert all(byte >= 0x20 or byte in b"\n\t" for byte in lines.encode())
    assert not any(unicodedata.category(each) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for each in line)


@pytest.mark.check("Q13")
def test_every_control_format_and_ignorable_character_is_escaped() -> None:
    bidi = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    zero_width = "\u200b\u200c\u200d\u2060\ufeff"
    ignorable = "\u034f\u115f\u1160\u17b4\u180b\u2800\u3164\ufe0f\uffa0\U000e0001\U000e0100"
    controls = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))

    for character in bidi + zero_width + ignorable + controls + "\u2028\u2029\ud800\udfff\ue000":
        assert shown(character).isascii(), hex(ord(character))
        assert shown(character).startswith("\\")


@pytest.mark.check("Q6")
@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=4))
def test_the_map_of_names_says_the_originals_and_acts_on_nothing(names: dict[str, str]) -> None:
    written = escaped_json(names)

    assert json.loads(written) == names
    assert all(byte >= 0x20 and byte != 0x7F for byte in written)
    assert not any(unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp"} for each in written.decode())
