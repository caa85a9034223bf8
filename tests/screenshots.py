"""Picture every page of both sites: `python -m tests.screenshots OUT` (that is `make screenshots`).

The two pictures of the README lie in OUT itself; all others, in two widths, light and dark, and each language of the
sources, lie in OUT/pages and are not kept in the repository.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser

from hardening.files import destroy
from svidok.evaluation import Trial, set_up
from tests.browser.chromium import Scheme, chromium, scriptless
from tests.browser.gallery import Gallery, visit_all
from tests.trial import running

WIDTHS = (360, 1280)
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
IN_THE_README = {"source-en-landing": "source.png", "reviewer-en-collections": "reviewer.png"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Set up a trial, visit everything, take the pictures, leave nothing but them."""
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=main.__doc__)
    parser.add_argument("out", type=Path, metavar="OUT")
    out: Path = parser.parse_args(arguments).out
    folder = Path(tempfile.mkdtemp(prefix="sv", dir="/tmp"))
    folder.chmod(0o755)
    try:
        trial = Trial(folder / "trial")
        set_up(trial)
        with running(trial, "--tor", "off", "--listen", "0", "0") as drop, chromium() as browser:
            drop.hear("Ctrl-C stops everything")
            picture(visit_all(drop, browser, folder), browser, out)
    finally:
        destroy(folder)


def picture(gallery: Gallery, browser: Browser, out: Path) -> None:
    """Show each page again and again, and keep what is to be seen."""
    pages = out / "pages"
    pages.mkdir(parents=True, exist_ok=True)
    for width in WIDTHS:
        for scheme in SCHEMES:
            with scriptless(browser, width, scheme) as context:
                page = context.new_page()
                for kept in gallery.pages:
                    gallery.show(page, kept)
                    page.screenshot(path=pages / f"{kept}-{width}-{scheme}.png", full_page=True)
                    if (width, scheme) == (1280, "light") and str(kept) in IN_THE_README:
                        page.screenshot(path=out / IN_THE_README[str(kept)])


if __name__ == "__main__":
    main()
