"""What was answered, in the words in which it was asked: for the summary, and to give back what could not be kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from hardening.canonical import JSON
from questionnaire.answers import visible
from questionnaire.dates import PartialDate, parse_date
from questionnaire.model import Item, Note, Page, Question, Repeat
from questionnaire.reading import DATE_CONTROLS, REGION_CONTROLS
from source_interface.asking import Asked, AskedNote, AskedQuestion, AskedRepeat, Asking, choice_of
from source_interface.report_way import address


@dataclass(frozen=True, slots=True)
class Said:
    """One answer in words.

    Attributes:
        lines: Choices, words, places.
        day: For a date.
        exact: How exact a point is, by its code.
    """

    label: str
    lines: tuple[str, ...] = ()
    day: PartialDate | None = None
    exact: str = ""


@dataclass(frozen=True, slots=True)
class SaidGroup:
    """Answers that belong together: those about one of several people, or all others of a page.

    Attributes:
        number: Which of the people, counted from 1; 0 for all others.
    """

    label: str
    number: int
    answers: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class SaidPage:
    """A page of the summary.

    Attributes:
        earlier: It was reached in an earlier visit, so nobody can say what was answered then.
    """

    title: str
    address: str
    groups: tuple[SaidGroup, ...]
    earlier: bool


def summary(asking: Asking, pages: Sequence[Page], earlier: Sequence[str]) -> tuple[SaidPage, ...]:
    """Say all that was answered on *pages*, one by one; *earlier* are those of earlier visits."""
    form, answers = asking.form, asking.answers
    return tuple(
        SaidPage(
            form.said(page.title, asking.language),
            address(form, page),
            tuple(groups(asking, visible(page, answers), answers)),
            page.name in earlier,
        )
        for page in pages
    )


def groups(asking: Asking, items: Sequence[Item], answers: Mapping[str, JSON]) -> Iterator[SaidGroup]:
    """Say what was answered of *items*; what was left out is not there."""
    plain = [item for item in items if isinstance(item, Question)]
    if said := _answers(asking, plain, answers):
        yield SaidGroup("", 0, said)
    for item in items:
        if isinstance(item, Repeat):
            label = asking.form.said(item.label, asking.language)
            for slot, told in enumerate(cast("list[dict[str, JSON]]", answers.get(item.name, []))):
                yield SaidGroup(label, slot + 1, _answers(asking, item.questions, told))


def asked_of(asking: Asking, names: Sequence[str]) -> tuple[str, ...]:
    """Say which questions *names* are."""
    asked = (item for page in asking.form.flow for item in page.items if not isinstance(item, Note))
    return tuple(_words(asking, item) for item in asked if item.name in names)


def as_given(asking: Asking, asked: Sequence[Asked]) -> str:
    """Write as text, to be copied, what was chosen and typed on a page, whether it could be understood or not."""
    written: list[str] = []
    for one in asked:
        match one:
            case AskedQuestion():
                written.append(_given(asking, one))
            case AskedRepeat():
                for number, slot in enumerate(one.slots, 1):
                    told = [_given(asking, question) for question in slot]
                    written += [f"{one.label} {number}", *told] if any(told) else []
            case AskedNote():
                pass
    return "\n\n".join(text for text in written if text)


def _given(asking: Asking, question: AskedQuestion) -> str:
    match question.kind:
        case "one" | "many":
            lines = [option.label for option in question.options if option.chosen]
        case "region":
            country, region = (asking.given.get(f"{question.name}.{one}") for one in REGION_CONTROLS)
            lines = list(_region(asking, {"country": country, "region": region}))
        case "date":
            year, month, day, about = (question.typed[part] for part in DATE_CONTROLS)
            lines = [" ".join(part for part in (year, month, day, about and "~") if part)]
        case "line" | "text" | "point":
            lines = list(question.typed.values())
    said = "\n".join(line for line in lines if line)
    return f"{question.label}\n{said}" if said else ""


def _words(asking: Asking, item: Question | Repeat) -> str:
    return asking.words(item) if isinstance(item, Question) else asking.form.said(item.label, asking.language)


def _answers(asking: Asking, questions: Sequence[Question], answers: Mapping[str, JSON]) -> tuple[Said, ...]:
    return tuple(_said(asking, one, answers[one.name]) for one in questions if one.name in answers)


def _said(asking: Asking, question: Question, value: JSON) -> Said:
    label = asking.words(question)
    match value:
        case str() if question.kind == "date":
            return Said(label, day=parse_date(value))
        case dict() if question.kind == "point":
            return _point(label, value)
        case str() if question.kind == "one":
            lines = _labels(asking, question, [value])
        case list():
            lines = _labels(asking, question, value)
        case dict():
            lines = _region(asking, value)
        case _:
            lines = (str(value),)
    return Said(label, lines)


def _labels(asking: Asking, question: Question, codes: Sequence[JSON]) -> tuple[str, ...]:
    chosen = (choice_of(question.choices, code) for code in codes if isinstance(code, str))
    return tuple(asking.form.said(one.label, asking.language) for one in chosen if one is not None)


def _region(asking: Asking, told: Mapping[str, JSON]) -> tuple[str, ...]:
    country, region = str(told.get("country", "")), str(told.get("region", ""))
    names = dict(asking.places.countries(asking.language)).get(country, country)
    if not region:
        return (names,)
    # ISO 3166-2: a region's code says whose it is, which may be another country than the one that was chosen.
    regions = asking.places.regions(region.partition("-")[0], asking.language)
    return (names, dict(regions).get(region, region))


def _point(label: str, told: Mapping[str, JSON]) -> Said:
    words, exact = str(told.get("words", "")), str(told.get("exact", ""))
    numbers = f"{told['lat']}, {told['lon']}" if "lat" in told and "lon" in told else ""
    return Said(label, tuple(line for line in (words, numbers) if line), exact=exact)
