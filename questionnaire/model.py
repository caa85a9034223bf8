"""A questionnaire as it is asked: pages, their questions, and the codes that answers are kept in."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

from questionnaire.errors import FormFileError
from questionnaire.logic import Condition

Text: TypeAlias = Mapping[str, str]
"""The same words in several languages, by their codes."""
Kind = Literal["one", "many", "line", "text", "date", "region", "point"]
Use = Literal["plain", "consent", "scope"]
Part = Literal["account", "identity", "contact", "consents", "notes"]

KINDS: Final = frozenset[str](get_args(Kind))
USES: Final = frozenset[str](get_args(Use))
PARTS: Final = frozenset[str](get_args(Part))
REPORT_PARTS: Final[tuple[Part, ...]] = ("account", "identity", "contact", "consents")
"""What every report has, whatever was answered; `notes` come with files alone."""
MOST_SLOTS: Final = 3
WAY: Final = "way"
"""The hidden answer that tells which door the source came through."""
ROLE: Final = "r1"
VICTIM: Final = "victim"
"""Whoever gave this role reads `self_label` where there is one."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")
_CODE: Final = re.compile(r"[0-9A-Za-z_-]{1,64}\Z")
_NUMBERS: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*\Z")
_VERSION: Final = re.compile(r"[0-9A-Za-z._-]{1,64}\Z")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}\Z")


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a list.

    Attributes:
        code: What is kept, in every language and every version.
        marks: What reviewers classify by: the codes of other schemes.
    """

    code: str
    label: Text
    marks: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        if _CODE.match(self.code) is None:
            raise FormFileError("a code has 1 to 64 letters, digits, hyphens or low lines")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question; it may always be left out.

    Attributes:
        kind: One choice, many choices, a line, a text, a partial date, a country with a region, a point.
        choices: For the first two kinds.
        self_label: The words for whoever it happened to, if they differ.
        relevant: When it is asked; None: always.
        part: The sealed part that its answer goes into.
        use: A permission, what belongs to the permission before it, or anything else.
    """

    name: str
    kind: Kind
    label: Text
    part: Part
    choices: tuple[Choice, ...] = ()
    self_label: Text = field(default_factory=dict[str, str])
    hint: Text = field(default_factory=dict[str, str])
    relevant: Condition | None = None
    use: Use = "plain"

    def __post_init__(self) -> None:
        refuse_name(self.name)
        codes = [choice.code for choice in self.choices]
        if bool(codes) != (self.kind in ("one", "many")) or len(set(codes)) != len(codes):
            raise FormFileError(f"question {self.name}: a question has the choices that its kind needs, each once")

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of its choices, in their order."""
        return tuple(choice.code for choice in self.choices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Words between questions.

    Attributes:
        content: It says what the page is about, so that whoever cannot bear it can skip it.
    """

    text: Text
    content: bool = False
    relevant: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Questions that are asked of several people in turn: at most `MOST_SLOTS`."""

    name: str
    label: Text
    questions: tuple[Question, ...]
    relevant: Condition | None = None

    def __post_init__(self) -> None:
        refuse_name(self.name)


Item: TypeAlias = Question | Note | Repeat


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is asked at a time.

    Attributes:
        per_file: It is not on the way through the form, but asked of each file that was sent.
    """

    name: str
    title: Text
    items: tuple[Item, ...]
    relevant: Condition | None = None
    per_file: bool = False

    def __post_init__(self) -> None:
        refuse_name(self.name)

    @property
    def questions(self) -> Iterator[Question]:
        """Give its questions, those that are repeated as well."""
        for item in self.items:
            if isinstance(item, Question):
                yield item
            elif isinstance(item, Repeat):
                yield from item.questions


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A whole questionnaire.

    Attributes:
        languages: The one that everything is written in comes first; it stands in where another has no words.
        hidden: Answers that are never asked for: `WAY`.
        sha256: Of its canonical JSON, which is what people sign and what every report names.
    """

    form_id: str
    version: str
    title: Text
    languages: tuple[str, ...]
    hidden: tuple[str, ...]
    pages: tuple[Page, ...]
    sha256: str = ""

    def __post_init__(self) -> None:
        if not (_VERSION.match(self.form_id) and _VERSION.match(self.version)):
            raise FormFileError("a form has a name and a version of 1 to 64 letters, digits, dots, hyphens")
        if not self.languages or any(_LANGUAGE.match(one) is None for one in self.languages):
            raise FormFileError("a form has languages, each named by two or three letters")
        _refuse_twice([*self.hidden, *(page.name for page in self.pages)])
        _refuse_twice([*self.hidden, *_names(self.pages)])
        _refuse_backward(self)

    def said(self, text: Text, language: str) -> str:
        """Give *text* in *language*, or in the language that the form is written in."""
        return text.get(language) or text.get(self.languages[0], "")

    def page(self, name: str) -> Page | None:
        """Find a page by its name."""
        return next((page for page in self.pages if page.name == name), None)

    @property
    def flow(self) -> tuple[Page, ...]:
        """The pages on the way through the form."""
        return tuple(page for page in self.pages if not page.per_file)

    @property
    def file_page(self) -> Page | None:
        """The page that is asked of each file, if there is one."""
        return next((page for page in self.pages if page.per_file), None)


def is_ordered(version: str) -> bool:
    """Say whether *version* is numbers with dots between them; any other has no place before or after another."""
    return _NUMBERS.match(version) is not None


def is_newer(version: str, than: str) -> bool:
    """Say whether *version* comes after *than*: 1.10 after 1.9, and 1.0 after 1."""
    return is_ordered(version) and is_ordered(than) and _numbers(version) > _numbers(than)


def refuse_name(name: str) -> None:
    """Refuse what no page and no question can be called.

    Raises:
        FormFileError: It is written in another way.
    """
    if _NAME.match(name) is None:
        raise FormFileError("a name begins with a letter and has at most 32 small letters, digits and low lines")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _names(pages: tuple[Page, ...]) -> Iterator[str]:
    for page in pages:
        for item in page.items:
            if isinstance(item, Repeat):
                yield item.name
            if not isinstance(item, Note):
                yield from (one.name for one in ((item,) if isinstance(item, Question) else item.questions))


def _refuse_twice(names: list[str]) -> None:
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise FormFileError(f"these names stand twice: {', '.join(sorted(twice))}")


def _refuse_backward(form: Form) -> None:
    """Refuse conditions that look at anything but earlier pages: without a script nothing on a page can follow it."""
    known = set(form.hidden)
    for page in form.pages:
        conditions = [page.relevant, *(item.relevant for item in page.items), *(one.relevant for one in page.questions)]
        unknown = {name for one in conditions if one is not None for name in one.names} - known
        if unknown:
            raise FormFileError(f"page {page.name} looks at what was not asked before: {', '.join(sorted(unknown))}")
        if not page.per_file:
            known |= {item.name for item in page.items if isinstance(item, Question)}
