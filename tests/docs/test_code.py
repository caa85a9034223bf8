"""What the code looks like everywhere: facts of the style guide that a machine can see."""

import ast
import re
from pathlib import Path

import pytest

from tests.docs.repository import PACKAGES, ROOT, SERVER_PACKAGES, functions, imports, modules, name, text_files, tree

LONGEST_MODULE = 300
LONGEST_FUNCTION = 40
MOST_ARGUMENTS = 5

_OURS = modules(*PACKAGES)
# A step that makes tables is a list of columns, written once and never read again.
_LISTS_OF_COLUMNS = re.compile(r"(?:vault|reviewers)/migrations/")
_SPOOLING = {"SpooledTemporaryFile", "NamedTemporaryFile", "TemporaryFile", "UploadFile", "FormData", "MultiPartParser"}
_EMPTY_WORDS = {"utils", "util", "helpers", "common", "misc", "base", "manager"}
_VERBS_THAT_SAY_NOTHING = ("get_", "do_", "handle_", "process_")
# Where texts may lead. Licences and standards; names that are reserved for examples; this machine.
_HOSTS = re.compile(
    r"(?:www\.gnu\.org|www\.unicode\.org|fsf\.org|creativecommons\.org|c2sp\.org|keepachangelog\.com|semver\.org|www\.w3\.org"
    r"|(?:[\w.-]+\.)?example(?:\.(?:org|com|net))?|(?:[\w.-]+\.)?(?:invalid|test)|localhost|127\.0\.0\.1|\[::1\]|testserver"
    r"|[\w.-]+\.onion|[a-z]|host|drop|)"
)
_URL = re.compile(r"\b(?:https?|socks5h?|ftp|wss?)://([\w.\[\]-]*)")
_OF_A_MACHINE = re.compile(r"/(?:work|Users|mnt|srv)/\w|/home/(?!somebody\b)\w")
# Each is broken by a bracket, so that this file does not hold what it looks for.
_REGISTRIES = re.compile(
    r"py[p]i\.org|python[h]osted|registry\.[n]pm|np[m]js|crates\.[i]o|proxy\.[g]olang|docker\.[i]o|gh[c]r\.io"
    r"|debian\.[o]rg|artifact[o]ry|--(?:extra-)?index-[u]rl"
)


@pytest.mark.check("F3")
def test_nothing_on_the_server_can_spool_plaintext_to_a_disk() -> None:
    """By any way of naming it: imported, as an attribute, or through a request."""
    found = [
        f"{name(path)}:{getattr(node, 'lineno', 0)}"
        for path in modules(*SERVER_PACKAGES)
        for node in ast.walk(tree(path))
        if _SPOOLING.intersection(_names(node)) or _reads_a_form(node)
    ]

    assert found == []


@pytest.mark.check("F3")
@pytest.mark.parametrize(
    "code",
    [
        "from tempfile import NamedTemporaryFile",
        "import tempfile\ntempfile.SpooledTemporaryFile()",
        "import tempfile as t\nt.TemporaryFile()",
        "from starlette.datastructures import UploadFile as File",
        "async def handler(request): return await request.form()",
        "async def handler(visit):\n    async with visit.request.form() as form: return form",
        "from starlette.formparsers import MultiPartParser",
    ],
)
def test_the_check_itself_would_find_it(code: str) -> None:
    assert any(_SPOOLING.intersection(_names(node)) or _reads_a_form(node) for node in ast.walk(ast.parse(code)))


def test_a_module_says_what_it_is_for_and_stays_small() -> None:
    mute = [
        name(path) for path in _OURS if not _purpose(path).endswith(".") or _purpose(path).startswith("This module")
    ]
    long = [name(path) for path in _OURS if len(path.read_text("utf-8").splitlines()) > LONGEST_MODULE]
    empty = [name(path) for path in _OURS if path.stem in _EMPTY_WORDS]

    assert (mute, long, empty) == ([], [], [])


def test_functions_are_small_and_their_names_say_what_they_do() -> None:
    found = [one for path in _OURS for one in functions(path)]
    long = [one.where for one in found if one.lines > LONGEST_FUNCTION and not _LISTS_OF_COLUMNS.match(one.where)]
    greedy = [one.where for one in found if _arguments(one.node) > MOST_ARGUMENTS]
    vague = [one.where for one in found if one.node.name.lstrip("_").startswith(_VERBS_THAT_SAY_NOTHING)]

    assert (long, greedy, vague) == ([], [], [])


def test_imports_are_absolute_and_stand_at_the_top() -> None:
    inside = [
        one.where
        for path in _OURS
        for one in functions(path)
        if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(one.node))
    ]
    relative = [
        f"{name(path)}:{node.lineno}"
        for path in _OURS
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]

    assert (inside, relative) == ([], [])


def test_nothing_is_left_for_later() -> None:
    later = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b")
    found = [where for where, text in text_files() if not where.startswith("keys/words/") and later.search(text)]

    assert found == []


def test_one_module_starts_gpg_and_one_speaks_with_tor() -> None:
    importing_stem = [name(path) for path in _OURS if "stem" in imports(path)]

    assert importing_stem == ["onion/controller.py"]


@pytest.mark.check("K8")
def test_nothing_tells_anybody_that_something_came() -> None:
    """A message that is sent when something arrives tells whoever sees messages when it arrived: there is none."""
    senders = {"smtplib", "email", "mailbox", "ftplib", "urllib3", "requests", "aiohttp", "httpx", "websockets"}
    sending = {name(path) for path in modules(*SERVER_PACKAGES) if senders & imports(path)}
    # The positive control: the demo's own client is found, and is no part of a server.
    assert [name(path) for path in modules("svidok") if "httpx" in imports(path)]

    assert sending == set()


def test_the_licence_stands_once() -> None:
    """In LICENSE and in the metadata, and in no file's head, where copies grow apart."""
    licence = (ROOT / "LICENSE").read_text("utf-8")
    headers = [
        where
        for where, text in text_files()
        if where.endswith((".py", ".html", ".css"))
        and re.search(r"SPDX-[L]icense|Copyright \(c\)", text[:2000], re.IGNORECASE)
    ]

    assert licence.startswith("GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3")
    assert 'license = "AGPL-3.0-or-later"' in (ROOT / "pyproject.toml").read_text("utf-8")
    assert headers == []


def test_no_text_leads_to_a_place_of_ours_or_to_a_registry() -> None:
    """Nothing here may depend on, or tell of, the machines it was made on."""
    found = [
        f"{where}: {match[0]}"
        for where, text in text_files()
        for pattern in (_OF_A_MACHINE, _REGISTRIES)
        for match in pattern.finditer(text)
    ]

    assert found == []


def test_every_address_in_a_text_is_a_standard_an_example_or_this_machine() -> None:
    """Vectors hold what attackers would send, so addresses of theirs as well."""
    found = [
        f"{where}: {match[0]}"
        for where, text in text_files()
        for match in _URL.finditer(text)
        if not where.startswith("tests/vectors/") and not _HOSTS.fullmatch(match[1].lower())
    ]

    assert found == []


def _purpose(path: Path) -> str:
    return (ast.get_docstring(tree(path)) or "").partition("\n\n")[0]


def _names(node: ast.AST) -> set[str]:
    match node:
        case ast.Attribute(attr=attribute):
            return {attribute}
        case ast.Name(id=plain):
            return {plain}
        case ast.ImportFrom(names=names) | ast.Import(names=names):
            return {part for alias in names for part in alias.name.split(".")}
        case _:
            return set()


def _reads_a_form(node: ast.AST) -> bool:
    """`request.form`, whatever leads to the request; `site.form` is our own strict reader."""
    match node:
        case (
            ast.Attribute(value=ast.Name(id=owner), attr="form")
            | ast.Attribute(value=ast.Attribute(attr=owner), attr="form")
        ):
            return owner.lower().endswith("request")
        case _:
            return False


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return len([argument for argument in named if argument.arg not in ("self", "cls")])
