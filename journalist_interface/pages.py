"""Write pages: one neutral title, texts that can be translated, and counts and sizes only as classes (K7)."""

from importlib.resources import files
from typing import Any, cast

from jinja2 import DictLoader, Environment, StrictUndefined
from starlette.responses import RedirectResponse, Response

from ledger.entry import size_class

# B5: no page says in a window's title which one it was.
TITLE = "Desk"

_HTML = "text/html; charset=utf-8"
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


class Pages:
    """The pages of one drop."""

    def __init__(self, name: str, *, evaluation: bool) -> None:
        """Read the templates, once.

        Args:
            name: The organisation's.
            evaluation: Whether every page says TEST.
        """
        environment = Environment(
            # All of them now: later, no file but the stores' may be within reach.
            loader=DictLoader(_templates()),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        environment.policies["ext.i18n.trimmed"] = True
        # English alone so far; every text passes through gettext, so a catalogue is all that another language needs.
        cast("Any", environment).install_null_translations(newstyle=True)
        known: dict[str, Any] = environment.globals
        known |= {"title": TITLE, "name": name, "evaluation": evaluation}
        environment.filters.update(counted=counted, sized=sized, grouped=grouped, exact=exact)
        self._environment = environment

    def page(self, template: str, status: int = 200, **facts: object) -> Response:
        """Write the page *template* from what *facts* tell."""
        return Response(self._write(template, facts), status, {"content-type": _HTML})

    def refusal(self, kind: str) -> bytes:
        """Write the page for a request that is turned away, whoever made it."""
        return self._write("problem.html", {"kind": kind, "caller": None})

    def goto(self, path: str) -> Response:
        """Send the reviewer on to *path*."""
        return RedirectResponse(path, status_code=303)

    def _write(self, template: str, facts: dict[str, object]) -> bytes:
        return self._environment.get_template(template).render({"caller": None} | facts).encode()


def style() -> bytes:
    """Read the one style sheet."""
    return files("journalist_interface").joinpath("static", "style.css").read_bytes()


def counted(number: int) -> str:
    """Write a number as its class: 0, 1, 2-3, 4-7, and so on by powers of two."""
    if number < 2:
        return str(number)
    lowest = 1 << (number.bit_length() - 1)
    return f"{lowest}\N{EN DASH}{2 * lowest - 1}"


def sized(size_bytes: int) -> str:
    """Write a size as its class: the power of two that holds it."""
    exponent = size_class(size_bytes)
    return f"\N{LESS-THAN OR EQUAL TO} {1 << exponent % 10} {_UNITS[exponent // 10]}"


def exact(size_bytes: int) -> str:
    """Write a size in full, as a finished download is compared with it."""
    return f"{size_bytes:,}".replace(",", "\N{NO-BREAK SPACE}")


def grouped(digits: str) -> str:
    """Write a fingerprint in groups of four, to be read aloud and compared."""
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def _templates() -> dict[str, str]:
    folder = files("journalist_interface").joinpath("templates")
    return {found.name: found.read_text("utf-8") for found in folder.iterdir() if found.name.endswith(".html")}
