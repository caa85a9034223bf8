"""Every check of the security catalogue that this version is held to is proved by a test, or its absence is argued."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.docs.repository import ROOT, modules, name, tree

# The checks that this version is held to.
HELD_TO = """
A1-A11 A13-A18 B1-B11 C1-C16 C20-C24 D1 D9 D10 D12 D13 E1 E5-E15 F1-F7 F9-F13 G1-G8 G10-G18
J1-J4 J6 J8 J9 K1-K8 L1 L2 L4 M1-M3 M8 M11-M14 P1-P4 P8-P13 Q2-Q6 Q13 Q14 S1 S4 T8
"""
# The catalogue's own numbers: how far each of its letters goes.
CATALOGUE = {
    "A": 18, "B": 11, "C": 24, "D": 13, "E": 21, "F": 13, "G": 18, "J": 11, "K": 8, "L": 7, "M": 14, "N": 10,
    "P": 13, "Q": 17, "R": 9, "S": 9, "T": 9,
}  # fmt: skip

_ROW = re.compile(r"^\| ([A-Z][0-9]+) \| (\w+) \| (.+) \|$", re.MULTILINE)


def held_to() -> tuple[str, ...]:
    return tuple(_expanded(HELD_TO.split()))


def _expanded(words: list[str]) -> Iterator[str]:
    for word in words:
        first, _, last = word.partition("-")
        for number in range(int(first[1:]), int((last or first)[1:]) + 1):
            yield f"{first[0]}{number}"


@cache
def marked() -> dict[str, set[str]]:
    """Where each check is named by a test, read from the code as it stands, without importing it."""
    found: dict[str, set[str]] = {}
    for path in modules("tests"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.check":
                for argument in node.args:
                    assert isinstance(argument, ast.Constant), f"{name(path)}:{node.lineno}: a check is named plainly"
                    found.setdefault(str(argument.value), set()).add(name(path))
    return found


@cache
def argued() -> dict[str, tuple[str, str]]:
    """What docs/threat-model.md says of checks that hold only partly, or not."""
    page = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
    rows = _ROW.findall(page.partition("## Checks that hold only partly, or not")[2])
    assert len({check for check, _, _ in rows}) == len(rows), "a check stands twice in the table"
    return {check: (verdict, reason) for check, verdict, reason in rows}


def test_the_list_of_checks_is_the_one_we_gave() -> None:
    assert len(held_to()) == len(set(held_to())) == 141


@pytest.mark.parametrize("check", held_to())
def test_every_check_is_proved_by_a_test_or_its_absence_is_argued(check: str) -> None:
    verdict, _reason = argued().get(check, ("yes", ""))

    assert check in marked() or verdict == "no", f"no test is marked with {check}, and the threat model gives no reason"


def test_what_is_said_to_hold_is_said_with_a_reason() -> None:
    for check, (verdict, reason) in argued().items():
        assert verdict in ("partly", "no"), check
        assert check in held_to(), f"{check} is not among the checks that this version is held to"
        assert len(reason) > 60, f"{check}: a reason is a sentence"


def test_nothing_that_a_test_proves_is_said_not_to_hold() -> None:
    contradicted = [check for check, (verdict, _) in argued().items() if verdict == "no" and check in marked()]

    assert contradicted == []


def test_tests_name_checks_that_the_catalogue_has() -> None:
    unknown = [
        check
        for check in marked()
        if not re.fullmatch(r"[A-Z][1-9][0-9]?", check) or int(check[1:]) > CATALOGUE.get(check[0], 0)
    ]

    assert unknown == []


def test_no_test_can_be_skipped() -> None:
    """A check that cannot run has failed."""
    ways_out = re.compile(r"pytest\.(skip|importorskip|xfail)|pytest\.mark\.(skip|skipif|xfail)|unittest\.skip")
    found = [
        f"{name(path)}:{node.lineno}"
        for path in modules("tests")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and ways_out.fullmatch(ast.unparse(node))
    ]

    assert found == []
