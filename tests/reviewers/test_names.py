import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewers.errors import DisplayNameError
from reviewers.names import LONGEST, display_name, skeleton

# Each looks like something it is not, or cannot be seen at all.
BAD = {
    "empty": "",
    "too long": "a" * 65,
    "only a space": " ",
    "only signs": "-.-",
    "space at the end": "Olena ",
    "two spaces": "Olena  K",
    "line break": "Olena\nK",
    "control": "Olena\x07",
    "escape": "Olena\x1b[31m",
    "right-to-left override": "Olena\u202eK",
    "isolate": "\u2066Olena\u2069",
    "zero width space": "Ole\u200bna",
    "zero width joiner": "Ole\u200dna",
    "soft hyphen": "Ole\u00adna",
    "byte order mark": "\ufeffOlena",
    "full width": "\uff2flena",
    "ligature": "\ufb01ona",
    "not composed": "e\u0301va",
    "no-break space": "Olena\u00a0K",
    "line separator": "Olena\u2028K",
    "private use": "Olena\ue000",
    "tag": "Olena\U000e0041",
    "mixed alphabets": "Оlena",
    "markup": "<b>Olena</b>",
    "path": "../../etc/hostname",
    "format": "{0.__class__}",
    "surrogate": "Olena\ud800",
    "combining alone": "\u0301",
}


@pytest.mark.parametrize("untrusted", BAD.values(), ids=BAD.keys())
@pytest.mark.check("P4", "P10")
def test_a_name_that_could_deceive_is_refused(untrusted: str) -> None:
    with pytest.raises(DisplayNameError):
        display_name(untrusted)


@pytest.mark.parametrize("name", ["Olena", "Олена К.", "Жанна д'Арк", "Éva", "أمينة", "Anna-Maria 2", "李娜"])
def test_a_plain_name_is_taken_as_it_is(name: str) -> None:
    assert display_name(name) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Olena", "olena"),
        ("Olena", "OIena"),
        ("paul", "раul".replace("l", "l")),
        ("Ivan", "lvan"),
        ("Bob", "B0b"),
        ("Marc", "Mаrс"),
        ("Éva", "Eva"),
        ("Anna Maria", "Anna-Maria"),
        ("norma", "nonna".replace("nn", "rm")),
        ("corn", "com"),
        ("Сара", "Capa"),
        ("straße", "STRASSE"),
    ],
)
@pytest.mark.check("P4")
def test_names_that_look_alike_have_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


def test_other_names_have_other_skeletons() -> None:
    names = ["Olena", "Olga", "Anna", "Hanna", "Іван", "Степан", "Марія", "أمينة", "李娜"]

    assert len({skeleton(name) for name in names}) == len(names)


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_whatever_is_taken_is_canonical_and_seen(untrusted: str) -> None:
    try:
        name = display_name(untrusted)
    except DisplayNameError:
        return

    assert name == untrusted == unicodedata.normalize("NFKC", name)
    assert len(name) <= LONGEST
    assert 0 < len(skeleton(name)) <= 256
    assert not {unicodedata.category(character) for character in name} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
