"""Catalogues are read as gettext reads them, whole, and every language says everything."""

import io
import re
import string
from importlib.resources import files

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po
from hypothesis import given, settings
from hypothesis import strategies as st

from source_interface.errors import CatalogueError
from source_interface.languages import hash_of, languages, read_catalogue

_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
_PLACE = re.compile(r"%\((\w+)\)s")
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]


def catalogue(code: str) -> Catalog:
    text = files("source_interface").joinpath("translations", f"{code}.po").read_bytes()
    return read_po(io.BytesIO(text), locale=code)


def messages_of_the_pages() -> set[str | tuple[str, ...]]:
    found = extract_from_dir(
        str(files("source_interface")),
        METHODS,
        {"**/templates/**.html": {"trimmed": "true"}},
        keywords={"_": None, "_n": None, "gettext": None, "ngettext": (1, 2)},
    )
    return {message for _, _, message, _, _ in found}


@pytest.mark.parametrize("language", [language for language in languages() if language.prefix])
def test_every_language_says_everything_and_nothing_else(language: object) -> None:
    code = getattr(language, "code", "")
    known = {tuple(one.id) if isinstance(one.id, list | tuple) else one.id for one in catalogue(code) if one.id}

    assert known == messages_of_the_pages()
    for one in catalogue(code):
        forms = one.string if isinstance(one.string, list | tuple) else [one.string]
        assert all(forms), one.id
        assert not one.fuzzy
        first = one.id[0] if isinstance(one.id, list | tuple) else one.id
        if first:
            assert all(set(_PLACE.findall(form or "")) == set(_PLACE.findall(first)) for form in forms), one.id


def test_the_template_that_translators_begin_with_is_up_to_date() -> None:
    text = files("source_interface").joinpath("translations", "source.pot").read_bytes()
    known = {
        tuple(one.id) if isinstance(one.id, list | tuple) else one.id for one in read_po(io.BytesIO(text)) if one.id
    }

    assert known == messages_of_the_pages()


def test_a_language_has_another_hash_as_soon_as_it_says_something_else() -> None:
    """The hash is what readers approve; a line broken elsewhere is nothing that they have to read anew."""
    text = files("source_interface").joinpath("translations", "fr.po").read_text("utf-8")
    rewritten = io.BytesIO()
    write_po(rewritten, catalogue("fr"), width=40)

    assert len({language.sha256 for language in languages()}) == 4
    assert hash_of(read_catalogue(text)) == hash_of(read_catalogue(rewritten.getvalue().decode()))
    assert hash_of(read_catalogue(text)) != hash_of(read_catalogue(text.replace("Commencer", "Commencez", 1)))
    assert hash_of(read_catalogue(text)) == next(one.sha256 for one in languages() if one.code == "fr")


def test_progress_counts_what_is_said_and_what_is_uncertain() -> None:
    progress = {language.code: language.progress for language in languages()}

    assert len({one.messages for one in progress.values()}) == 1
    assert all((one.translated, one.fuzzy) == (one.messages, 0) for one in progress.values())


def test_the_four_languages_of_this_version_are_offered_in_their_own_names() -> None:
    offered = {language.code: (language.name, language.direction) for language in languages()}

    assert offered == {
        "en": ("English", "ltr"),
        "uk": ("Українська", "ltr"),
        "fr": ("Français", "ltr"),
        "ar": ("العربية", "rtl"),
    }


@pytest.mark.parametrize("code", ["uk", "fr", "ar"])
def test_our_reader_agrees_with_babels(code: str) -> None:
    text = files("source_interface").joinpath("translations", f"{code}.po").read_text("utf-8")

    ours = read_catalogue(text)

    for one in catalogue(code):
        if one.id:
            key = "\0".join(one.id) if isinstance(one.id, list | tuple) else one.id
            value = "\0".join(one.string) if isinstance(one.string, list | tuple) else one.string
            assert ours[key] == value


def test_ukrainian_counts_as_ukrainian_does() -> None:
    words = next(language for language in languages() if language.code == "uk").words

    said = [words.ngettext("%(num)s file was kept.", "%(num)s files were kept.", n) for n in (1, 2, 5, 11, 21, 22)]

    assert [text.split()[-1] for text in said] == ["файл.", "файли.", "файлів.", "файлів.", "файл.", "файли."]


def test_french_counts_as_french_does() -> None:
    words = next(language for language in languages() if language.code == "fr").words

    said = [words.ngettext("%(num)s file was kept.", "%(num)s files were kept.", n) for n in (0, 1, 2, 21)]

    assert [text.split()[1] for text in said] == ["fichier", "fichier", "fichiers", "fichiers"]


def test_arabic_counts_in_its_six_forms() -> None:
    words = next(language for language in languages() if language.code == "ar").words

    said = [words.ngettext("%(num)s file was kept.", "%(num)s files were kept.", n) for n in (0, 1, 2, 3, 11, 100)]

    assert len(set(said)) == 6
    assert all(words.ngettext("%(num)s file was kept.", "%(num)s files were kept.", n) == said[3] for n in (10, 103))
    assert all(words.ngettext("%(num)s file was kept.", "%(num)s files were kept.", n) == said[4] for n in (99, 111))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(_TEXT, _TEXT, min_size=1, max_size=5))
def test_whatever_translators_tools_write_is_read_back(entries: dict[str, str]) -> None:
    made = Catalog(locale="uk")
    for message, translation in entries.items():
        made.add(message, translation)
    written = io.BytesIO()
    write_po(written, made, width=30)

    found = read_catalogue(written.getvalue().decode())

    assert {key: found[key] for key in entries} == entries


@settings(max_examples=60, deadline=None)
@given(st.text(string.printable, max_size=200))
def test_a_malformed_catalogue_is_refused_and_nothing_else_happens(text: str) -> None:
    try:
        read_catalogue(text)
    except CatalogueError:
        return


@pytest.mark.parametrize(
    "text",
    [
        'msgid "a"\nmsgid "b"\nmsgstr "c"\n',
        'msgid "a"\nmsgstr "b"\n\nmsgid "a"\nmsgstr "c"\n',
        'msgid "a\nmsgstr "b"\n',
        'hello "a"\n',
        '"a"\n',
        "msgid a\n",
        'msgid "a" + "b"\nmsgstr "c"\n',
        'msgid "a"\n\nmsgid "b"\nmsgstr "c"\n',
    ],
)
def test_these_are_refused(text: str) -> None:
    with pytest.raises(CatalogueError):
        read_catalogue(text)


def test_uncertain_and_missing_translations_fall_back() -> None:
    text = '#, fuzzy\nmsgid "a"\nmsgstr "b"\n\nmsgid "c"\nmsgstr ""\n\nmsgid "d"\nmsgstr "e"\n'

    assert read_catalogue(text) == {"d": "e"}
