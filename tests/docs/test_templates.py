"""No page, of whichever site, is written without escaping what it shows."""

import ast
import re

import pytest

from tests.docs.repository import PACKAGES, modules, name, text_files, tree

_MAKES_PAGES = {"Environment", "SandboxedEnvironment", "NativeEnvironment", "Template", "Jinja2Templates"}
# Ways to call a text safe, or to leave the template's own rules.
_UNESCAPED = re.compile(r"\|\s*safe\b|\bautoescape\b|\bMarkup\b|__html__|\{%-?\s*raw|\|\s*(?:tojson|xmlattr|urlize)\b")


@pytest.mark.check("A11")
def test_every_environment_escapes_whatever_the_template_is_called() -> None:
    """`select_autoescape` goes by the name of the file, and forgets some."""
    made = {
        f"{name(path)}:{node.lineno}": {one.arg: ast.unparse(one.value) for one in node.keywords}
        for path in modules(*PACKAGES)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and _called(node.func) in _MAKES_PAGES
    }

    assert len(made) == 3
    assert {options.get("autoescape") for options in made.values()} == {"True"}


@pytest.mark.check("A11")
def test_no_template_and_no_code_calls_a_text_safe() -> None:
    templates = [(where, text) for where, text in text_files() if where.endswith((".html", ".j2", ".jinja"))]
    code = [(name(path), path.read_text("utf-8")) for path in modules("source_interface", "journalist_interface")]

    assert len(templates) > 30
    assert [where for where, text in templates if _UNESCAPED.search(text)] == []
    assert [where for where, text in code if re.search(r"\bMarkup\b|__html__|\bmarkupsafe\b", text)] == []


@pytest.mark.parametrize(
    "text", ["{{ x|safe }}", "{{ x | safe }}", "{% autoescape false %}", "{%- raw %}", "{{ x|tojson }}"]
)
def test_the_check_itself_would_find_it(text: str) -> None:
    assert _UNESCAPED.search(text)


def _called(function: ast.expr) -> str:
    return ast.unparse(function).rpartition(".")[2]
