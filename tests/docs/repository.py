"""What tests about the repository itself share: its files, its code as trees, and the commands that its pages show."""

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "bags", "casework", "hardening", "journalist_interface", "keeper", "keys", "ledger", "onion", "questionnaire",
    "reviewers", "settings", "source_interface", "svidok", "vault", "workstation",
)  # fmt: skip
# What runs on a server, or in a process of it.
SERVER_PACKAGES = tuple(name for name in PACKAGES if name not in ("casework", "svidok", "workstation"))

# Of any kind: one that is passed over would make its end the beginning of the next.
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_OF_COMMANDS = {"", "sh", "console"}


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the repository as it would be committed, by its path from the root."""
    # The checkout may belong to another user than the one who runs the tests.
    command = ("git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(path for name in sorted(set(listed.split("\0"))) if name and (path := ROOT / name).is_file())


@cache
def text_files() -> tuple[tuple[str, str], ...]:
    """Give each tracked file that is text, by its name."""
    return tuple(_texts())


def _texts() -> Iterator[tuple[str, str]]:
    for path in tracked():
        try:
            yield name(path), path.read_text("utf-8")
        except UnicodeDecodeError:
            continue


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def modules(*folders: str) -> tuple[Path, ...]:
    """List the Python files below these folders."""
    return tuple(path for path in tracked() if path.suffix == ".py" and name(path).split("/")[0] in folders)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method, and where it stands."""

    where: str
    node: ast.FunctionDef | ast.AsyncFunctionDef

    @property
    def lines(self) -> int:
        """How long it is without its docstring."""
        first = self.node.body[0]
        documented = ast.get_docstring(self.node, clean=False) is not None
        docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
        return (self.node.end_lineno or 0) - self.node.lineno + 1 - docstring


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Function(f"{name(path)}:{node.name}", node)


def imports(path: Path) -> set[str]:
    """Name the packages that a module imports."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def pages() -> tuple[Path, ...]:
    """List the pages of the documentation."""
    return tuple(path for path in tracked() if path.suffix == ".md" and name(path).split("/")[0] != "tests")


def shown_commands(page: Path) -> Iterator[str]:
    """Give the commands in the fenced blocks of a page, one line each; continued lines are joined."""
    blocks = [block for kind, block in _FENCE.findall(page.read_text("utf-8")) if kind in _OF_COMMANDS]
    for block in blocks:
        for line in block.replace("\\\n", " ").splitlines():
            command = line.strip().removeprefix("$ ").removeprefix("sudo ").partition("   #")[0].strip()
            if command.startswith(("svidok ", "make ")):
                yield command
