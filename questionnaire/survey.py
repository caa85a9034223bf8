"""Read the rows of a survey, one after the other, into pages and what is asked on them."""

from dataclasses import dataclass, field
from typing import Final

from questionnaire.asked import RowReader
from questionnaire.findings import Row
from questionnaire.logic import Condition
from questionnaire.model import Item, Note, Page, Question, Repeat

_PAGE: Final = "field-list"
_FILE_PAGE: Final = "field-list file-notes"


@dataclass(slots=True)
class _Open:
    """A page, or a repeat, whose end has not come yet."""

    row: Row
    name: str
    relevant: Condition | None
    items: list[Item] = field(default_factory=list[Item])


class Survey:
    """Takes rows and keeps what they make.

    Attributes:
        pages: Those that have ended.
        hidden: The answers that are never asked for.
        rows: Where each page and each question stands.
    """

    def __init__(self, reader: RowReader) -> None:
        """Begin with nothing; *reader* keeps what is found."""
        self.pages: list[Page] = []
        self.hidden: list[str] = []
        self.rows: dict[str, Row] = {}
        self._reader = reader
        self._findings = reader.findings
        self._page: _Open | None = None
        self._repeat: _Open | None = None
        # What conditions may look at: what stands on pages before this one.
        self._known: set[str] = set()

    def take(self, row: Row) -> None:
        """Read the next row."""
        self._reader.check_columns(row)
        match row["type"].replace(" ", "_"):
            case "begin_group":
                self._begin_page(row)
            case "end_group":
                self._end_page(row)
            case "begin_repeat":
                self._begin_repeat(row)
            case "end_repeat":
                self._end_repeat(row)
            case "hidden":
                self.hidden.append(self._named(row))
                self._known.add(row["name"])
            case "note":
                self._note(row)
            case _:
                self._question(row)

    def close(self) -> None:
        """Say whether something was left open."""
        for left, end in ((self._repeat, "end_repeat"), (self._page, "end_group")):
            if left is not None:
                self._findings.error(left.row, "end", f"this never ends: add a row {end} behind what belongs to it")

    def _begin_page(self, row: Row) -> None:
        if self._page is not None:
            says = f"a page cannot lie in a page: end “{self._page.name}” with end_group first"
            self._findings.error(row, "nested", says)
        if row["appearance"] not in (_PAGE, _FILE_PAGE):
            says = f"begin_group begins a page: write {_PAGE} (or {_FILE_PAGE}) into the column appearance"
            self._findings.error(row, "page", says)
        self._page = self._opened(row)

    def _end_page(self, row: Row) -> None:
        if self._page is None or self._repeat is not None:
            self._findings.error(row, "end", "this ends a page that has not begun, or whose repeat has not ended")
            return
        opened, self._page = self._page, None
        page = Page(
            name=opened.name,
            title=self._reader.wording.text(opened.row, "label"),
            items=tuple(opened.items),
            relevant=opened.relevant,
            per_file=_is_per_file(opened),
        )
        self.pages.append(page)
        if not page.per_file:
            self._known |= {item.name for item in page.items if isinstance(item, Question)}

    def _begin_repeat(self, row: Row) -> None:
        if self._repeat is not None or self._page is None:
            self._findings.error(row, "repeat", "a repeat stands on a page, and in no other repeat: end that one first")
        self._repeat = self._opened(row)

    def _end_repeat(self, row: Row) -> None:
        if self._repeat is None:
            self._findings.error(row, "end", "this ends a repeat that has not begun")
            return
        opened, self._repeat = self._repeat, None
        questions = tuple(item for item in opened.items if isinstance(item, Question))
        if not questions or len(questions) < len(opened.items):
            self._findings.error(opened.row, "repeat", "a repeat holds questions, at least one, and no notes")
        if self._page is not None:
            label = self._reader.wording.text(opened.row, "label")
            made = Repeat(name=opened.name, label=label, questions=questions, relevant=opened.relevant)
            self._page.items.append(made)

    def _note(self, row: Row) -> None:
        self._reader.wording.check(row, "label", self._findings)
        content = row["appearance"] == "content-note"
        holder = self._holder(row)
        if content and holder is not None and (holder.items or holder is self._repeat):
            says = "a content note comes first on its page, and there is one: move it up, or make it an ordinary note"
            self._findings.error(row, "content-note", says)
        condition = self._reader.condition(row, self._known)
        if holder is not None:
            text = self._reader.wording.text(row, "label")
            holder.items.append(Note(text=text, content=content, relevant=condition))

    def _question(self, row: Row) -> None:
        holder = self._holder(row)
        before = holder.items[-1] if holder is not None and holder.items else None
        per_file = self._page is not None and _is_per_file(self._page)
        question = self._reader.question(row, self._known, before, per_file=per_file)
        self._placed(row)
        if holder is not None and question is not None:
            holder.items.append(question)

    def _holder(self, row: Row) -> _Open | None:
        holder = self._repeat or self._page
        if holder is None:
            self._findings.error(row, "page", "this stands on no page: put it between begin_group and end_group")
        return holder

    def _opened(self, row: Row) -> _Open:
        self._reader.wording.check(row, "label", self._findings)
        return _Open(row, self._named(row), self._reader.condition(row, self._known))

    def _named(self, row: Row) -> str:
        self._placed(row)
        return self._reader.name(row)

    def _placed(self, row: Row) -> None:
        """Remember where a name stands, and that it stands once: answers, pages and hidden values share no name."""
        name = row["name"]
        if name in self.rows:
            says = f"the name “{name}” stands in {self.rows[name].where} already: give this one another"
            self._findings.error(row, "twice", says)
        elif name:
            self.rows[name] = row


def _is_per_file(opened: _Open) -> bool:
    return opened.row["appearance"] == _FILE_PAGE
