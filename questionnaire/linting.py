"""Judge a form that compiles: how short, plain and small it is for a frightened person on a telephone.

The measures are in docs/forms.md. A page or a path that is too long is an error: it is refused as a form that
contradicts itself is. Words are warnings: people decide about them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from questionnaire.compiling import compile_table
from questionnaire.findings import WHOLE, Finding, Findings, Row
from questionnaire.load import format_form
from questionnaire.model import MOST_SLOTS, Form, Item, Note, Page, Question, Repeat, Text, is_ordered
from questionnaire.paths import MOST_COMBINATIONS, Path, combinations, paths
from questionnaire.table import Table

MOST_QUESTIONS: Final = 7
MOST_PAGES: Final = 20
PAGE_BYTES: Final = 32 * 1024
"""What every page is padded to (docs/adr/0021)."""
FRAME_BYTES: Final = 1536
"""What stands on every page of a report, in the language that takes the most room."""
MOST_FORM_BYTES: Final = 1024 * 1024
MOST_WORDS: Final = 20
"""In a sentence, in English: what a tired person takes in at once."""
MOST_LIX: Final = 45
"""Björnsson's readability index: below 30 children's books, 40 newspapers, 50 official texts."""

_LONG_WORD: Final = 7
# One label is too short to be measured; what is about a page's length is not.
_MEASURABLE_WORDS: Final = 30
_SENTENCE: Final = re.compile(r"[.!?:;…]+(?:\s+|$)|\n+")
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
# What source_interface/templates writes around the words; tests/source_interface/test_form_sizes.py holds it to that.
_CONTROL_BYTES: Final = {"one": 330, "many": 210, "line": 235, "text": 265, "date": 1530, "region": 860, "point": 2040}
_OPTION_BYTES: Final = 86
_NOTE_BYTES: Final = 165
_PLACES_BYTES: Final = 18_700
"""All countries and the regions of any but Slovenia, which has twice as many as the next, in the longest script."""


def lint(table: Table) -> tuple[Form | None, tuple[Finding, ...]]:
    """Compile *table* and judge what comes of it."""
    compiled = compile_table(table)
    findings = Findings(list(compiled.findings))
    settings = table.sheet("settings")[0]
    if compiled.form is not None:
        judge(compiled.form, compiled.rows, findings)
        if not is_ordered(compiled.form.version):
            says = "no drop can tell which version is newer unless versions are numbers, with dots between: 2, or 2.1"
            findings.warn(settings, "version", says)
    for sheet in ("survey", "choices"):
        _judge_sentences(table.sheet(sheet), settings, findings)
    return compiled.form, tuple(sorted(findings.told))


def judge(form: Form, rows: Mapping[str, Row], findings: Findings) -> None:
    """Note what is too long or too large in *form*; *rows* tells where its pages and questions stand."""
    if len(form.flow) > MOST_PAGES:
        findings.error(WHOLE, "pages", f"there are {len(form.flow)} pages, at most {MOST_PAGES} are allowed: join some")
    for page in form.pages:
        _judge_page(form, page, rows.get(page.name, WHOLE), findings)
    size_bytes = len(format_form(form))
    if size_bytes > MOST_FORM_BYTES:
        says = f"the form has {size_bytes // 1024} KiB, at most {MOST_FORM_BYTES // 1024} are allowed: shorten it"
        findings.error(WHOLE, "size", says)
    if combinations(form) > MOST_COMBINATIONS:
        says = f"pages hang on more than {MOST_COMBINATIONS} combinations of answers: let fewer answers decide"
        findings.error(WHOLE, "path", says)
        return
    for one in paths(form):
        _judge_path(one, findings)


def page_bytes(form: Form, page: Page, language: str) -> int:
    """Estimate the HTML of *page* with everything on it."""
    return (
        FRAME_BYTES + sum(_item_bytes(form, item, language) for item in page.items) + _bytes(form, page.title, language)
    )


def lix(text: str) -> float:
    """Measure how hard *text* is: words in a sentence, and how many in a hundred have more than six letters."""
    sentences = [one for one in _SENTENCE.split(text) if _WORD.search(one)]
    words: list[str] = _WORD.findall(text)
    if not words:
        return 0.0
    long = [word for word in words if len(word) >= _LONG_WORD]
    return len(words) / len(sentences) + 100 * len(long) / len(words)


def _judge_page(form: Form, page: Page, row: Row, findings: Findings) -> None:
    count = sum(question.use != "scope" for question in page.questions)
    if count > MOST_QUESTIONS:
        says = f"page “{page.name}” asks {count} questions, at most {MOST_QUESTIONS} are allowed: make two pages of it"
        findings.error(row, "questions", says)
    size_bytes = max(page_bytes(form, page, language) for language in form.languages)
    if size_bytes > PAGE_BYTES:
        says = (
            f"page “{page.name}” would have about {size_bytes / 1024:.1f} KiB, at most {PAGE_BYTES // 1024} are"
            " allowed: move questions or long lists to another page"
        )
        findings.error(row, "page-size", says)
    words = "\n".join(_english(form, page))
    if len(_WORD.findall(words)) >= _MEASURABLE_WORDS and lix(words) > MOST_LIX:
        says = (
            f"page “{page.name}” is hard to read (LIX {lix(words):.0f}, aim at {MOST_LIX} or less):"
            " use shorter words and sentences"
        )
        findings.warn(row, "reading", says)


def _judge_sentences(rows: tuple[Row, ...], settings: Row, findings: Findings) -> None:
    """Name every sentence that is too long, in the language that the form is written in."""
    for row in rows:
        for kind in ("label", "hint", "self_label"):
            for sentence in _SENTENCE.split(row[f"{kind}::{settings['default_language']}"]):
                count = len(_WORD.findall(sentence))
                if count > MOST_WORDS:
                    says = f"a sentence has {count} words, aim at {MOST_WORDS} or fewer: “{sentence[:60]}…”"
                    findings.warn(row, "sentence", says)


def _judge_path(one: Path, findings: Findings) -> None:
    if len(one.pages) > one.most:
        says = f"{one.who} meets {len(one.pages)} pages ({', '.join(one.pages)}), at most {one.most} are allowed"
        findings.error(WHOLE, "path", says)


def _english(form: Form, page: Page) -> Iterator[str]:
    yield form.said(page.title, "en")
    for item in page.items:
        match item:
            case Question():
                yield form.said(item.label, "en")
                yield form.said(item.hint, "en")
            case Repeat():
                yield form.said(item.label, "en")
            case _:
                yield form.said(item.text, "en")


def _item_bytes(form: Form, item: Item, language: str) -> int:
    match item:
        case Question():
            label = max(_bytes(form, item.label, language), _bytes(form, item.self_label, language))
            options = sum(
                _OPTION_BYTES + len(item.name) + len(one.code) + _bytes(form, one.label, language)
                for one in item.choices
            )
            places = _PLACES_BYTES if item.kind == "region" else 0
            return _CONTROL_BYTES[item.kind] + label + _bytes(form, item.hint, language) + options + places
        case Repeat():
            inside = sum(_item_bytes(form, one, language) + len(one.choices) * len(item.name) for one in item.questions)
            return MOST_SLOTS * (inside + _bytes(form, item.label, language) + _NOTE_BYTES)
        case Note():
            return _NOTE_BYTES + _bytes(form, item.text, language)


def _bytes(form: Form, text: Text, language: str) -> int:
    return len(form.said(text, language).encode("utf-8"))
