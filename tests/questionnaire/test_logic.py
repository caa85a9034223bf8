import pytest
from hypothesis import given
from hypothesis import strategies as st

from questionnaire.errors import ExpressionError
from questionnaire.logic import MOST_CHARACTERS, Chosen, parse


@pytest.mark.parametrize(
    ("text", "chosen", "holds"),
    [
        ("selected(${w1}, 'rape')", {"w1": ("rape", "other")}, True),
        ("selected(${w1}, 'rape')", {"w1": ("raped",)}, False),
        ("selected(${w1}, 'rape')", {}, False),
        ("${r1} = 'victim'", {"r1": ("victim",)}, True),
        ("${r1}='victim'", {"r1": ("victim",)}, True),
        ("${r1} != 'victim'", {}, True),
        ("${r1} = ''", {}, True),
        ("${r1} != ''", {"r1": ("victim",)}, True),
        ("not(${r1} = 'victim')", {"r1": ("victim",)}, False),
        ("${a} = 'x' or ${b} = 'x' and ${c} = 'x'", {"a": ("x",)}, True),
        ("(${a} = 'x' or ${b} = 'x') and ${c} = 'x'", {"a": ("x",)}, False),
        ("${w1} = 'one'", {"w1": ("one", "two")}, False),
    ],
)
def test_a_condition_holds_as_in_xpath(text: str, chosen: Chosen, holds: bool) -> None:
    assert parse(text).holds(chosen) is holds


@pytest.mark.parametrize(
    ("text", "chosen", "holds"),
    [
        ("${r1} = 'victim'", {}, None),
        ("${r1} != 'victim'", {}, None),
        ("selected(${r1}, 'victim')", {}, None),
        ("not(${r1} = 'victim')", {}, None),
        ("${way} = 'help' or ${r1} = 'health'", {"way": ("help",)}, True),
        ("${way} = 'help' or ${r1} = 'health'", {"way": ("report",)}, None),
        ("${way} != 'help' and ${r1} = 'health'", {"way": ("help",)}, False),
        ("${way} != 'help' and ${r1} = 'health'", {"way": ("report",)}, None),
        ("not(${way} = 'help' or ${r1} = 'health')", {"way": ("help",)}, False),
        ("${way} = 'help'", {"way": ("help",), "r1": ("health",)}, True),
    ],
)
def test_a_condition_says_when_it_depends_on_what_nobody_knows(text: str, chosen: Chosen, holds: bool | None) -> None:
    assert parse(text).judge(chosen, {"r1"}) is holds


def test_a_condition_tells_what_it_looks_at() -> None:
    condition = parse("selected(${w1}, 'a') and not(${r1} = 'victim')")

    assert condition.names == {"w1", "r1"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "${r1}",
        "${r1} =",
        "${r1} = victim",
        "${r1} = 'a' 'b'",
        "${R1} = 'a'",
        "r1 = 'a'",
        "selected(${w1})",
        "selected(${w1}, 'a'",
        "not ${r1} = 'a'",
        "count(${w1}) > 2",
        "${r1} > 'a'",
        "('a' = ${r1})",
        "${r1} = 'a' and",
        '${r1} = "a"',
        "(" * 20 + "${r1} = 'a'" + ")" * 20,
        "${r1} = '" + "a" * 65 + "'",
        "${r1} = 'a' or " * 200 + "${r1} = 'a'",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


@given(st.text(max_size=MOST_CHARACTERS) | st.text("${}r1='()!,selectdanor ", max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        condition = parse(text)
    except ExpressionError:
        return
    assert condition.holds({}) in (True, False)
