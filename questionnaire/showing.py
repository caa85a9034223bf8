"""Say a form on a terminal, page by page, as one kind of person is led through it."""

from collections.abc import Iterator, Sequence

from questionnaire.model import MOST_SLOTS, ROLE, VICTIM, Form, Item, Note, Page, Question, Repeat
from questionnaire.paper import told, words_of


def shown(form: Form, pages: Sequence[Page], language: str, role: str) -> Iterator[str]:
    """Give the lines of *pages* for somebody of this *role*; conditions are told, not followed."""
    words = words_of(language)
    yield f"{form.said(form.title, language)} ({form.form_id} {form.version}, {language})"
    for number, page in enumerate(pages, start=1):
        yield ""
        yield f"{words.page[0]} {number} {words.page[1]} {len(pages)}: {form.said(page.title, language)} [{page.name}]"
        if page.relevant is not None:
            yield f"  {told(page.relevant, form, language)}"
        for item in page.items:
            yield from _item(form, item, language, role)


def _item(form: Form, item: Item, language: str, role: str) -> Iterator[str]:
    match item:
        case Note():
            mark = "!" if item.content else "|"
            yield from (f"  {mark} {line}" for line in form.said(item.text, language).splitlines())
        case Repeat():
            yield f"  {form.said(item.label, language)} [{item.name}, {MOST_SLOTS} ×]"
            for question in item.questions:
                yield from (f"  {line}" for line in _question(form, question, language, role))
        case Question():
            yield from _question(form, item, language, role)


def _question(form: Form, question: Question, language: str, role: str) -> Iterator[str]:
    own = form.said(question.self_label, language) if role == VICTIM else ""
    yield f"  {question.name:<8} {own or form.said(question.label, language)}   [{question.kind}, {question.part}]"
    if question.relevant is not None:
        yield f"           {told(question.relevant, form, language)}"
    hint = form.said(question.hint, language)
    if hint:
        yield f"           {hint}"
    box = "( )" if question.kind == "one" else "[ ]"
    for choice in question.choices:
        yield f"           {box} {form.said(choice.label, language)}   [{choice.code}]"


def role_of(form: Form, role: str) -> bool:
    """Say whether *form* has this role; the empty one is whoever gives none."""
    roles = (one for page in form.pages for one in page.questions if one.name == ROLE)
    return not role or any(role in one.codes for one in roles)
