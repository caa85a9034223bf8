"""Conditions: when a page or a question is shown. The part of XLSForm's `relevant` that needs no program in a browser.

condition = term { "or" term }        term = factor { "and" factor }
factor    = "not" "(" condition ")" | "(" condition ")" | comparison
comparison = "selected" "(" "${" name "}" "," text ")" | "${" name "}" ("=" | "!=") text
text      = "'" letters, digits, "_", "-" "'"
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from questionnaire.errors import ExpressionError

MOST_CHARACTERS = 1000
_MOST_DEPTH = 8
_TOKEN = re.compile(
    r"\s*(?:(?P<name>\$\{[a-z][a-z0-9_]{0,31}\})|(?P<text>'[0-9A-Za-z_-]{0,64}')"
    r"|(?P<word>selected|not|and|or)\b|(?P<sign>!=|=|\(|\)|,))"
)

Chosen: TypeAlias = Mapping[str, tuple[str, ...]]
"""From each question to the codes that were chosen; a question that is missing, or empty, was left out."""

_Judge: TypeAlias = Callable[[Mapping[str, tuple[str, ...] | None]], bool | None]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was understood.

    Attributes:
        text: As it was written.
        names: The questions that it looks at.
    """

    text: str
    names: frozenset[str]
    _judge: _Judge

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def holds(self, chosen: Chosen) -> bool:
        """Say whether it holds; a question that was left out equals the empty text, as in XPath."""
        return bool(self._judge(chosen))

    def judge(self, chosen: Chosen, unknown: Collection[str]) -> bool | None:
        """Say whether it holds whatever is answered to the questions *unknown*; None if it depends on them.

        The logic is Kleene's strong logic of three values.
        """
        return self._judge({**chosen, **dict.fromkeys(unknown)})


def parse(untrusted: str) -> Condition:
    """Understand a condition.

    Raises:
        ExpressionError: It is written in another way.
    """
    if len(untrusted) > MOST_CHARACTERS:
        raise ExpressionError(f"a condition has at most {MOST_CHARACTERS} characters, not {len(untrusted)}")
    reader = _Reader(_tokens(untrusted))
    holds = reader.condition(0)
    if reader.peek() is not None:
        raise ExpressionError("something stands behind the condition")
    return Condition(untrusted, frozenset(reader.names), holds)


def _tokens(untrusted: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    end = len(untrusted.rstrip())
    while at < end:
        match = _TOKEN.match(untrusted, at)
        if match is None or match.lastgroup is None:
            raise ExpressionError(f"at character {at + 1} stands nothing that a condition can hold")
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def _any(values: Collection[bool | None]) -> bool | None:
    return True if True in values else None if None in values else False


def _all(values: Collection[bool | None]) -> bool | None:
    return False if False in values else None if None in values else True


def _not(inner: _Judge) -> _Judge:
    def judged(chosen: Mapping[str, tuple[str, ...] | None]) -> bool | None:
        value = inner(chosen)
        return None if value is None else not value

    return judged


def _of(name: str, holds: Callable[[tuple[str, ...]], bool]) -> _Judge:
    def judged(chosen: Mapping[str, tuple[str, ...] | None]) -> bool | None:
        codes = chosen.get(name, ())
        return None if codes is None else holds(codes)

    return judged


class _Reader:
    """Reads a condition from left to right."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self.names: set[str] = set()

    def peek(self) -> str | None:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else None

    def condition(self, depth: int) -> _Judge:
        return self._joined("or", _any, lambda: self._joined("and", _all, lambda: self._factor(depth)))

    def _joined(
        self, word: str, together: Callable[[Collection[bool | None]], bool | None], one: Callable[[], _Judge]
    ) -> _Judge:
        parts = [one()]
        while self.peek() == word:
            self._at += 1
            parts.append(one())
        return parts[0] if len(parts) == 1 else lambda chosen: together([part(chosen) for part in parts])

    def _factor(self, depth: int) -> _Judge:
        if depth > _MOST_DEPTH:
            raise ExpressionError(f"a condition is at most {_MOST_DEPTH} brackets deep")
        if self.peek() == "not":
            self._at += 1
            inner = self._in_brackets(depth)
            return _not(inner)
        if self.peek() == "(":
            return self._in_brackets(depth)
        return self._comparison()

    def _in_brackets(self, depth: int) -> _Judge:
        self._take("sign", "(")
        inner = self.condition(depth + 1)
        self._take("sign", ")")
        return inner

    def _comparison(self) -> _Judge:
        if self.peek() == "selected":
            self._at += 1
            self._take("sign", "(")
            name = self._name()
            self._take("sign", ",")
            code = self._text()
            self._take("sign", ")")
            return _of(name, lambda codes: code in codes)
        name = self._name()
        sign = self._take("sign", "=", "!=")
        wanted = self._text()
        expected = (wanted,) if wanted else ()
        if sign == "=":
            return _of(name, lambda codes: codes == expected)
        return _of(name, lambda codes: codes != expected)

    def _name(self) -> str:
        name = self._take("name")[2:-1]
        self.names.add(name)
        return name

    def _text(self) -> str:
        return self._take("text")[1:-1]

    def _take(self, kind: str, *wanted: str) -> str:
        if self._at >= len(self._tokens):
            raise ExpressionError("the condition breaks off")
        found_kind, found = self._tokens[self._at]
        if found_kind != kind or (wanted and found not in wanted):
            raise ExpressionError(f"part {self._at + 1} of the condition is not what belongs there")
        self._at += 1
        return found
