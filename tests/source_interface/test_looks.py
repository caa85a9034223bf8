"""The pages in a real browser without scripts: every step by forms alone, and nothing cut off at 320 px."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, sync_playwright

from tests.source_interface.house import House
from tests.source_interface.reports import DRAFT

MakeHouse = Callable[..., House]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def open_house(make_house: MakeHouse) -> House:
    return make_house(loopback=True)


def visit(chromium: Browser, house: House, *, width: int = 1000, scripts: bool = False) -> Page:
    context = chromium.new_context(
        base_url=f"http://{house.host}", java_script_enabled=scripts, viewport={"width": width, "height": 700}
    )
    return context.new_page()


def codename_on(page: Page) -> str:
    return " ".join(page.locator("ol:is(.words, .groups)").first.locator("li").all_inner_texts())


@pytest.mark.check("B3", "B4", "A6", "C1")
@pytest.mark.parametrize(("prefix", "width"), [("", 1000), ("", 320), ("/uk", 320), ("/fr", 320), ("/ar", 320)])
def test_every_step_is_taken_by_forms_alone(
    chromium: Browser, open_house: House, tmp_path: Path, prefix: str, width: int
) -> None:
    said: list[str] = []
    page = visit(chromium, open_house, width=width)
    page.on("console", lambda message: said.append(_words(message)))
    page.on("pageerror", lambda error: said.append(str(error)))
    letter = tmp_path / "лист.txt"
    letter.write_bytes(b"a letter")

    page.goto(f"{prefix}/")
    _fits(page, width)
    _press(page, page.locator("form[action$='/begin'] button").last)
    page.locator("#message").fill("One line.\nAnother.")
    page.locator("#files").set_input_files([letter])
    _fits(page, width)
    _press(page, page.locator("form[action$='/send'] button"))
    assert page.url.endswith(f"{prefix}/codename")
    codename = codename_on(page)
    _fits(page, width)
    page.locator("summary").first.click()
    _fits(page, width)
    _press(page, page.locator("main a.button"))
    page.locator("#codename").fill("abacus")
    _press(page, page.locator("form[action$='/retype'] button"))
    _fits(page, width)
    page.locator("#codename").fill(codename)
    _press(page, page.locator("form[action$='/retype'] button"))
    assert page.url.endswith(f"{prefix}/inbox")
    open_house.reply(codename, "Дякуємо.\n" + "w" * 100)
    page.reload()
    _fits(page, width)
    page.locator("summary").click()
    _press(page, page.locator(".danger"))
    _fits(page, width)
    _press(page, page.locator("header form button"))
    assert page.url.endswith(f"{prefix}/left")
    for path in ("/safety", "/limits", "/keys", "/login", "/no-such-page"):
        page.goto(prefix + path)
        _fits(page, width)
    _press(page, page.locator("a.exit"))
    assert page.url.endswith(f"{prefix}/blank")

    assert page.context.cookies() == []
    # Chromium says so of every 400 and 404 that was meant, of the way out, and of how the test measures boxes.
    meant = ("status of 40", "Clear-Site-Data", "Blocked script execution")
    assert [words for words in said if not any(one in words for one in meant)] == []
    assert {one.trailer.name: one.content for one in open_house.everything()} == {
        "": b"One line.\r\nAnother.",
        "лист.txt": b"a letter",
    }


def test_the_first_page_warns_of_scripts_by_its_style_sheet_alone(chromium: Browser, open_house: House) -> None:
    without = visit(chromium, open_house)
    without.goto("/")
    with_scripts = visit(chromium, open_house, scripts=True)
    with_scripts.goto("/")

    assert without.locator(".scripts").is_hidden()
    assert with_scripts.locator(".scripts").is_visible()


def test_the_way_out_is_the_first_stop_of_the_keyboard(chromium: Browser, open_house: House) -> None:
    page = visit(chromium, open_house)
    page.goto("/")

    page.keyboard.press("Tab")

    assert page.locator("a.exit:focus").count() == 1


def test_the_enter_key_goes_on_though_other_buttons_stand_before_the_one_that_does(
    chromium: Browser, make_house: MakeHouse
) -> None:
    page = visit(chromium, make_house(loopback=True, questionnaire=DRAFT))
    page.goto("/")
    _press(page, page.locator("button[value=report]"))
    _press(page, page.locator("button[value=next]"))
    assert page.locator("button[value=regions]").count() == 1
    here = page.url

    page.locator('[name="t1.y"]').fill("2022")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    assert page.url != here
    assert page.url.rpartition("/")[2].isdigit()


def test_every_target_is_large_enough_to_hit(chromium: Browser, open_house: House) -> None:
    page = visit(chromium, open_house, width=320)
    page.goto("/")

    for target in page.locator("header a, header button, .button, footer a, .doors a").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 44


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(chromium: Browser, open_house: House, scheme: str) -> None:
    css = open_house.ask(f"GET /style.css HTTP/1.1\r\nHost: {open_house.host}\r\n\r\n".encode()).body.decode()
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]
    colors = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", light))
    if scheme == "dark":
        colors |= dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", dark))
    assert chromium.is_connected()

    for text, ground, least in [
        *(("ink", ground, 7) for ground in ("paper", "card", "good", "wrong")),
        *(("soft", ground, 4.5) for ground in ("paper", "card")),
        *(("accent", ground, 4.5) for ground in ("paper", "card", "good")),
        ("danger", "paper", 4.5),
        ("on-accent", "accent", 7),
        ("on-exit", "exit", 7),
        ("on-test", "test", 7),
        ("field", "card", 3),
    ]:
        assert _contrast(colors[text], colors[ground]) >= least, (text, ground)


def _press(page: Page, control: Locator) -> None:
    """Press what leads to another page, and wait until that page is there: also when it has the same address."""
    with page.expect_navigation():
        control.click()


def _fits(page: Page, width: int) -> None:
    """Nothing reaches beyond the window, so nobody has to scroll sideways."""
    for element in page.locator("body, header, main, footer, main *").all():
        box = element.bounding_box()
        if box is not None:
            assert box["x"] + box["width"] <= width + 1, element.evaluate("one => one.outerHTML.slice(0, 200)")


def _words(message: ConsoleMessage) -> str:
    return message.text


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    """WCAG 2.2's relative luminance."""
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
