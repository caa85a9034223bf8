"""Whatever a page or a comment points at is there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.repository import ROOT, name, pages, text_files, tracked

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)+\.(?:py|md|toml|txt|lock|html|css|json|png|po)|[\w.-]+(?:/[\w.-]+)*/")
_RECORD = re.compile(r"docs/[\w./-]*[\w/]")
_REQUIRED = (
    "README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "docs/README.md", "docs/architecture.md",
    "docs/threat-model.md", "docs/deployment.md", "docs/reviewers.md", "docs/settings.md",
    "docs/screenshots/source.png", "docs/screenshots/reviewer.png",
)  # fmt: skip


@pytest.mark.parametrize("wanted", _REQUIRED)
def test_the_documents_that_a_reader_expects_are_there(wanted: str) -> None:
    assert (ROOT / wanted) in tracked()


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    broken = [link for link in _links(page) if not _leads_somewhere(page, link)]

    assert broken == []


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_file_that_a_page_mentions_exists(page: Path) -> None:
    tops = {name(path).split("/")[0] for path in tracked() if "/" in name(path)}
    spans = (span for span in _SPAN.findall(page.read_text("utf-8")) if _PATH.fullmatch(span))
    mentioned = [span for span in spans if span.split("/")[0] in tops and not _is_of_a_drop(span)]

    assert [path for path in mentioned if not (ROOT / path).exists()] == []


def test_every_document_that_the_code_mentions_exists() -> None:
    """`docs/adr/0002` is enough to name a record."""
    missing = [
        f"{where}: {mentioned}"
        for where, text in text_files()
        if where.endswith((".py", ".toml")) and not where.startswith("tests/docs/")
        for mentioned in _RECORD.findall(text)
        if not list(ROOT.glob(f"{mentioned.rstrip('/')}*"))
    ]

    assert missing == []


@pytest.mark.parametrize("folder", ["adr", "specs"])
def test_the_index_names_every_record_and_every_format(folder: str) -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    unlisted = [path.name for path in (ROOT / "docs" / folder).glob("*.md") if f"({folder}/{path.name})" not in index]

    assert unlisted == []


def test_records_are_numbered_without_gap_and_without_double() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "adr").glob("*.md"))

    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("record", sorted((ROOT / "docs" / "adr").glob("*.md")), ids=lambda path: path.name)
def test_every_record_says_why_what_and_at_what_price(record: Path) -> None:
    text = record.read_text("utf-8")

    assert text.startswith(f"# {int(record.name[:4])}. ")
    assert [part for part in ("## Context", "## Decision", "## Consequences") if part not in text] == []


def _links(page: Path) -> Iterator[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return (link for link in _LINK.findall(text) if not link.startswith("https://"))


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.is_relative_to(ROOT) or not target.exists():
        return False
    return not anchor or anchor in {_anchor(heading) for heading in _HEADING.findall(target.read_text("utf-8"))}


def _anchor(heading: str) -> str:
    """How a heading is named by the places that show Markdown."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _is_of_a_drop(span: str) -> bool:
    """Some folders of a drop or a workstation have the name of a package."""
    return span in ("keeper/tor/", "keeper/ledger/", "keeper/onion/", "keeper/")
