"""A compiled form as it is signed and served: canonical JSON, written in one way and read in one way."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, cast

from hardening.canonical import JSON, JsonError, Writable, canonical_json, strict_json
from questionnaire.errors import ExpressionError, FormFileError
from questionnaire.logic import Condition, parse
from questionnaire.model import KINDS, PARTS, USES, Choice, Form, Item, Kind, Note, Page, Part, Question, Repeat, Use

MOST_FORM_BYTES: Final = 4 * 1024 * 1024

_TYPE: Final = "svidok form"
_VERSION: Final = 1


def format_form(form: Form) -> bytes:
    """Write *form* in its one form."""
    lists: dict[str, Writable] = {}
    pages = [_page(page, lists) for page in form.pages]
    return canonical_json(
        {
            "type": _TYPE,
            "v": _VERSION,
            "id": form.form_id,
            "version": form.version,
            "title": form.title,
            "languages": form.languages,
            "hidden": form.hidden,
            "lists": lists,
            "pages": pages,
        }
    )


def parse_form(untrusted: bytes) -> Form:
    """Read a compiled form in its one form; `sha256` of what is given is filled in.

    Raises:
        FormFileError: It is anything else, even by one byte, or contradicts itself.
    """
    try:
        members = _object(strict_json(untrusted, MOST_FORM_BYTES, canonical=True))
        lists = {name: tuple(_choice(one) for one in _array(told)) for name, told in _object(members["lists"]).items()}
        form = Form(
            form_id=_text(members["id"]),
            version=_text(members["version"]),
            title=_words(members["title"]),
            languages=tuple(_text(one) for one in _array(members["languages"])),
            hidden=tuple(_text(one) for one in _array(members["hidden"])),
            pages=tuple(_read_page(_object(one), lists) for one in _array(members["pages"])),
        )
    except JsonError as error:
        raise FormFileError("a form must be canonical JSON") from error
    except KeyError as error:
        raise FormFileError("a form lacks a member, or names a list that it has not") from error
    except ExpressionError as error:
        raise FormFileError(f"a condition cannot be understood: {error}") from error
    # Also refuses another version, unused lists, and members that we do not know.
    if format_form(form) != untrusted:
        raise FormFileError("a form must hold the members of version 1 and no others")
    return replace(form, sha256=hashlib.sha256(untrusted).hexdigest())


def named(form: Form) -> Form:
    """Fill in the hash of a form that was made and not read."""
    return replace(form, sha256=hashlib.sha256(format_form(form)).hexdigest())


def _page(page: Page, lists: dict[str, Writable]) -> Writable:
    return {
        "name": page.name,
        "title": page.title,
        "relevant": _condition(page.relevant),
        "per_file": page.per_file,
        "items": [_item(item, lists) for item in page.items],
    }


def _item(item: Item, lists: dict[str, Writable]) -> Writable:
    match item:
        case Note():
            return {"note": {"text": item.text, "content": item.content, "relevant": _condition(item.relevant)}}
        case Repeat():
            questions = [_question(one, lists) for one in item.questions]
            told: dict[str, Writable] = {"name": item.name, "label": item.label, "questions": questions}
            return {"repeat": {**told, "relevant": _condition(item.relevant)}}
        case Question():
            return {"question": _question(item, lists)}


def _question(question: Question, lists: dict[str, Writable]) -> Writable:
    return {
        "name": question.name,
        "kind": question.kind,
        "list": _listed(question.choices, lists),
        "label": question.label,
        "self_label": question.self_label,
        "hint": question.hint,
        "relevant": _condition(question.relevant),
        "part": question.part,
        "use": question.use,
    }


def _listed(choices: tuple[Choice, ...], lists: dict[str, Writable]) -> str:
    """Name the list of *choices*: the same choices are written once, in the order in which they are first asked."""
    if not choices:
        return ""
    written: Writable = [{"code": one.code, "label": one.label, "marks": one.marks} for one in choices]
    for name, other in lists.items():
        if other == written:
            return name
    name = f"l{len(lists) + 1:03d}"
    lists[name] = written
    return name


def _condition(condition: Condition | None) -> str:
    return "" if condition is None else condition.text


def _read_page(told: Mapping[str, JSON], lists: Mapping[str, tuple[Choice, ...]]) -> Page:
    return Page(
        name=_text(told["name"]),
        title=_words(told["title"]),
        relevant=_read_condition(told["relevant"]),
        per_file=_flag(told["per_file"]),
        items=tuple(_read_item(_object(one), lists) for one in _array(told["items"])),
    )


def _read_item(told: Mapping[str, JSON], lists: Mapping[str, tuple[Choice, ...]]) -> Item:
    match dict(told):
        case {"note": dict(note)}:
            return Note(
                text=_words(note["text"]), content=_flag(note["content"]), relevant=_read_condition(note["relevant"])
            )
        case {"repeat": dict(repeat)}:
            return Repeat(
                name=_text(repeat["name"]),
                label=_words(repeat["label"]),
                questions=tuple(_read_question(_object(one), lists) for one in _array(repeat["questions"])),
                relevant=_read_condition(repeat["relevant"]),
            )
        case {"question": dict(question)}:
            return _read_question(question, lists)
        case _:
            raise FormFileError("a page holds notes, questions and repeats")


def _read_question(told: Mapping[str, JSON], lists: Mapping[str, tuple[Choice, ...]]) -> Question:
    name = _text(told["list"])
    return Question(
        name=_text(told["name"]),
        kind=cast("Kind", _one_of(told["kind"], KINDS)),
        label=_words(told["label"]),
        part=cast("Part", _one_of(told["part"], PARTS)),
        choices=lists[name] if name else (),
        self_label=_words(told["self_label"]),
        hint=_words(told["hint"]),
        relevant=_read_condition(told["relevant"]),
        use=cast("Use", _one_of(told["use"], USES)),
    )


def _choice(told: JSON) -> Choice:
    members = _object(told)
    return Choice(_text(members["code"]), _words(members["label"]), _words(members["marks"]))


def _read_condition(told: JSON) -> Condition | None:
    text = _text(told)
    return parse(text) if text else None


def _words(told: JSON) -> dict[str, str]:
    return {language: _text(words) for language, words in _object(told).items()}


def _one_of(told: JSON, known: frozenset[str]) -> str:
    text = _text(told)
    if text not in known:
        raise FormFileError("a question has a kind, a part or a use that there is not")
    return text


def _text(told: JSON) -> str:
    if not isinstance(told, str):
        raise FormFileError("a form has a member of the wrong type")
    return told


def _flag(told: JSON) -> bool:
    if not isinstance(told, bool):
        raise FormFileError("a form has a member of the wrong type")
    return told


def _array(told: JSON) -> list[JSON]:
    if not isinstance(told, list):
        raise FormFileError("a form has a member of the wrong type")
    return told


def _object(told: JSON) -> dict[str, JSON]:
    if not isinstance(told, dict):
        raise FormFileError("a form has a member of the wrong type")
    return told
