"""What a screen reader is told of a page: chromium's accessibility tree, from its beginning to its end."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

CONTROLS = frozenset({"link", "button", "textbox", "combobox", "radio", "checkbox", "DisclosureTriangle"})
FIELDS = frozenset({"textbox", "combobox", "radio", "checkbox"})


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that is read out.

    Attributes:
        level: Of a heading; of everything else 0.
        inside: Role and name of what it stands in, the nearest last.
        place: Where it stands in the document.
    """

    role: str
    name: str
    description: str
    level: int
    invalid: bool
    inside: Sequence[tuple[str, str]]
    place: int

    @property
    def question(self) -> str:
        """The words of the nearest group that it stands in."""
        return next((name for role, name in reversed(self.inside) if role in {"group", "radiogroup"}), "")

    @property
    def in_main(self) -> bool:
        return any(role == "main" for role, _ in self.inside)


def read_out(page: Page) -> list[Said]:
    """Give all that is said of the page, in the order in which it is said."""
    session = page.context.new_cdp_session(page)
    document = session.send("DOM.getDocument", {"depth": -1})
    places = {number: place for place, number in enumerate(_numbers(document["root"]))}
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return list(_said(nodes[0], {node["nodeId"]: node for node in nodes}, places, ()))


def usable(said: Sequence[Said]) -> list[Said]:
    """Give what can be used."""
    return [one for one in said if one.role in CONTROLS]


def first_buttons(page: Page) -> list[str]:
    """Tell the value of each form's first button."""
    return [str(value) for value in page.evaluate("[...document.forms].map(one => one.querySelector('button').value)")]


def misplaced(said: Sequence[Said]) -> list[Said]:
    """Name the headings that are not in the page's own part, come before the one of the page, or leave out a level."""
    levels = [0, *(one.level for one in said if one.role == "heading")]
    found = [one for one in said if one.role == "heading"]
    return [
        one
        for before, one in zip(levels, found, strict=False)
        if not one.in_main or not (1 if before == 0 else 2) <= one.level <= before + 1
    ]


def questions(said: Sequence[Said]) -> list[str]:
    """Give the words of each group of controls."""
    return [one.name for one in said if one.role in {"group", "radiogroup"} and one.name]


def legends(page: Page) -> list[str]:
    """Give the words of each question that has several controls."""
    return [
        str(text).strip()
        for text in page.evaluate("[...document.querySelectorAll('legend')].map(one => one.innerText)")
    ]


def moved(page: Page) -> list[str]:
    """Name what a style shows in another place than where it stands."""
    return [
        str(html)
        for html in page.evaluate(
            """[...document.querySelectorAll("body *")].filter(one => {
            const style = getComputedStyle(one);
            return style.order != "0" || style.float != "none" || /reverse/.test(style.flexDirection + style.flexWrap)})
            .map(one => one.outerHTML.slice(0, 80))"""
        )
    ]


def twins(page: Page) -> list[str]:
    """Name buttons that say the same as another of their form: lynx sends both, and two answers are none."""
    return [
        str(html)
        for html in page.evaluate(
            """[...document.forms].flatMap(form => {
            const named = [...form.querySelectorAll("button[name]")];
            const twin = (one, two) => two != one && two.name == one.name && two.value == one.value;
            return named.filter(one => named.some(two => twin(one, two)))})
            .map(one => one.outerHTML)"""
        )
    ]


def spoken(page: Page) -> list[tuple[str, str]]:
    """List what can be used; where words that only few can see stand, chromium sets a blank."""
    return [(one.role, "".join(one.name.split())) for one in usable(read_out(page))]


def unseen(page: Page) -> list[str]:
    """Name words that are on the page and not to be seen; what is folded away is said to be so."""
    return [
        str(html)
        for html in page.evaluate(
            """[...document.querySelectorAll("body *")]
            .filter(one => !one.matches("input[type=hidden], option, details:not([open]) *") && !one.checkVisibility())
            .map(one => one.outerHTML.slice(0, 80))"""
        )
    ]


def _numbers(node: Mapping[str, Any]) -> Iterator[int]:
    yield node["backendNodeId"]
    for child in node.get("children", []):
        yield from _numbers(child)


def _said(
    node: Mapping[str, Any],
    nodes: Mapping[str, Mapping[str, Any]],
    places: Mapping[int, int],
    inside: Sequence[tuple[str, str]],
) -> Iterator[Said]:
    around = inside
    if not node["ignored"]:
        properties = {one["name"]: one["value"].get("value") for one in node.get("properties", [])}
        said = Said(
            role=node["role"]["value"],
            name=_text(node, "name"),
            description=_text(node, "description"),
            level=int(properties.get("level", 0)),
            invalid=properties.get("invalid", "false") != "false",
            inside=inside,
            place=places.get(node.get("backendDOMNodeId", 0), -1),
        )
        yield said
        around = (*inside, (said.role, said.name))
    for child in node.get("childIds", []):
        if child in nodes:
            yield from _said(nodes[child], nodes, places, around)


def _text(node: Mapping[str, Any], name: str) -> str:
    return str(node.get(name, {}).get("value", "")).strip()
