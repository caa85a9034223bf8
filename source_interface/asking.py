"""A page of questions as it is shown: every control with its words, what was given in it, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from hardening.canonical import JSON
from hardening.forms import Fields
from questionnaire.dates import parse_date
from questionnaire.model import MOST_SLOTS, ROLE, VICTIM, Choice, Form, Item, Kind, Note, Question, Repeat, Use
from questionnaire.reading import DATE_CONTROLS, POINT_CONTROLS, REGION_CONTROLS, Fault, Given
from source_interface.parts import Places

Trouble: TypeAlias = Fault | Literal["long", "codename"]
"""What a source is told about a control: also a text that is too long, or that holds a codename."""


@dataclass(frozen=True, slots=True)
class Option:
    """Something to choose."""

    code: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class AskedNote:
    """Words between questions."""

    text: str
    content: bool


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question with its controls.

    Attributes:
        name: What its controls' names begin with.
        options: For choices; the countries, for a region.
        regions: Of the country that was chosen.
        typed: What was given, by the control's name.
        troubles: What was wrong, by the control's name.
    """

    name: str
    kind: Kind
    use: Use
    label: str
    hint: str
    options: tuple[Option, ...]
    regions: tuple[Option, ...]
    typed: Mapping[str, str]
    troubles: Mapping[str, Trouble]


@dataclass(frozen=True, slots=True)
class AskedRepeat:
    """Questions that are asked of several people.

    Attributes:
        slots: The questions of each person that is shown.
        more: Another one can be added.
    """

    name: str
    label: str
    slots: tuple[tuple[AskedQuestion, ...], ...]
    more: bool


Asked: TypeAlias = AskedNote | AskedQuestion | AskedRepeat


@dataclass(frozen=True, slots=True)
class Asking:
    """What questions are shown with.

    Attributes:
        language: Of the words.
        answers: What was answered before: whoever it happened to is asked in other words.
        slots: How many places of each repeat are shown.
        given: What stands in the controls.
        troubles: What was wrong, by the control's name.
    """

    form: Form
    places: Places
    language: str
    answers: Mapping[str, JSON]
    slots: Mapping[str, int]
    given: Given
    troubles: Mapping[str, Trouble]

    def shown(self, items: Sequence[Item]) -> tuple[Asked, ...]:
        """Prepare *items* for their page."""
        return tuple(self._item(item) for item in items)

    def words(self, question: Question) -> str:
        """Give the words in which this source is asked."""
        own = question.self_label if self.answers.get(ROLE) == VICTIM else None
        return self.form.said(own or question.label, self.language)

    def _item(self, item: Item) -> Asked:
        match item:
            case Note():
                return AskedNote(self.form.said(item.text, self.language), item.content)
            case Question():
                return self._question(item, "")
            case Repeat():
                return self._repeat(item)

    def _repeat(self, repeat: Repeat) -> AskedRepeat:
        told = self.answers.get(repeat.name)
        count = min(MOST_SLOTS, max(1, self.slots.get(repeat.name, 1), len(told) if isinstance(told, list) else 0))
        slots = tuple(
            tuple(self._question(one, f"{repeat.name}.{slot}.") for one in repeat.questions) for slot in range(count)
        )
        return AskedRepeat(repeat.name, self.form.said(repeat.label, self.language), slots, count < MOST_SLOTS)

    def _question(self, question: Question, prefix: str) -> AskedQuestion:
        name = prefix + question.name
        begins = f"{name}."
        return AskedQuestion(
            name=name,
            kind=question.kind,
            use=question.use,
            label=self.words(question),
            hint=self.form.said(question.hint, self.language),
            options=self._options(question, name),
            regions=self._regions(question, name),
            typed=self._typed(question, name),
            troubles={
                control: trouble
                for control, trouble in self.troubles.items()
                if control == name or control.startswith(begins)
            },
        )

    def _typed(self, question: Question, name: str) -> dict[str, str]:
        match question.kind:
            case "line" | "text":
                return {"": self.given.get(name)}
            case "date":
                return {part: self.given.get(f"{name}.{part}") for part in DATE_CONTROLS}
            case "point":
                return {part: self.given.get(f"{name}.{part}") for part in POINT_CONTROLS}
            case "one" | "many" | "region":
                return {}

    def _options(self, question: Question, name: str) -> tuple[Option, ...]:
        if question.kind == "region":
            return _chosen_of(self.places.countries(self.language), self.given.get(f"{name}.country"))
        chosen = self.given.every(name)
        return tuple(
            Option(one.code, self.form.said(one.label, self.language), one.code in chosen) for one in question.choices
        )

    def _regions(self, question: Question, name: str) -> tuple[Option, ...]:
        if question.kind != "region":
            return ()
        country, region = (self.given.get(f"{name}.{one}") for one in REGION_CONTROLS)
        return _chosen_of(self.places.regions(country, self.language), region)


def asked_questions(asked: Sequence[Asked]) -> tuple[AskedQuestion, ...]:
    """List every question of a page, those about each person as well."""
    alone = [one for one in asked if isinstance(one, AskedQuestion)]
    return (*alone, *(one for many in asked if isinstance(many, AskedRepeat) for slot in many.slots for one in slot))


def in_trouble(asked: Sequence[Asked]) -> tuple[tuple[str, str, Trouble], ...]:
    """List every trouble of a page: the control, what was asked, and what is wrong."""
    return tuple(
        (control, one.label, trouble) for one in asked_questions(asked) for control, trouble in one.troubles.items()
    )


def filled(items: Sequence[Item], answers: Mapping[str, JSON]) -> Fields:
    """Write answers as the form of their page would bring them."""
    pairs: list[tuple[str, str]] = []
    for item in items:
        if isinstance(item, Question) and item.name in answers:
            pairs += _pairs(item, item.name, answers[item.name])
        elif isinstance(item, Repeat):
            for slot, told in enumerate(cast("list[dict[str, JSON]]", answers.get(item.name, []))):
                for question in item.questions:
                    if question.name in told:
                        pairs += _pairs(question, f"{item.name}.{slot}.{question.name}", told[question.name])
    return Fields(tuple(pairs))


def choice_of(choices: Sequence[Choice], code: str) -> Choice | None:
    """Find a choice by its code."""
    return next((one for one in choices if one.code == code), None)


def _pairs(question: Question, name: str, value: JSON) -> list[tuple[str, str]]:
    match value:
        case str() if question.kind == "date":
            told = parse_date(value)
            parts = {"y": str(told.year), "m": str(told.month or ""), "d": str(told.day or "")}
            return [
                *((f"{name}.{key}", text) for key, text in parts.items()),
                *([(f"{name}.about", "yes")] * told.about),
            ]
        case str():
            return [(name, value)]
        case list():
            return [(name, code) for code in value if isinstance(code, str)]
        case dict():
            return [(f"{name}.{key}", text) for key, text in value.items() if isinstance(text, str)]
        case _:
            return []


def _chosen_of(named: Sequence[tuple[str, str]], chosen: str) -> tuple[Option, ...]:
    return tuple(Option(code, label, code == chosen) for code, label in named)
