"""What a person finds who opens a report: on a desktop, on a phone, in print, or by ear."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.pages import NAMES, TYPICAL

pytestmark = pytest.mark.deep

SCREENS = {"desktop": (1280, 800), "phone": (390, 844)}

DEVIATING = {"exchange/average": {"staying away"}, "exchange/contribution": {"staying away"}}
"""What pages ask about where lies were not looked at."""

IN_VIEW = """element => {
  const box = element.getBoundingClientRect();
  return box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
}"""

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

# Text that is wider than the box that it is clipped by, or that stands beyond the page's edge.
CUT = """() => [...document.querySelectorAll('th, td, p, dd, h1, h2')].filter(element =>
  element.getBoundingClientRect().right > document.documentElement.clientWidth + 1
).map(element => element.textContent.slice(0, 40))"""


@pytest.fixture(scope="module", params=SCREENS)
def screen(request: pytest.FixtureRequest, browser: Any) -> Iterator[Any]:
    """Yield a tab of a desktop or of a phone, and the addresses that it asked for."""
    width, height = SCREENS[request.param]
    tab = browser.new_page(viewport={"width": width, "height": height})
    tab.asked = []
    tab.on("request", lambda request: tab.asked.append(request.url))
    yield tab
    tab.close()


@pytest.fixture(scope="module")
def phone(browser: Any) -> Iterator[Any]:
    """Yield a tab of a phone."""
    width, height = SCREENS["phone"]
    tab = browser.new_page(viewport={"width": width, "height": height})
    yield tab
    tab.close()


@pytest.fixture(scope="module")
def paper(browser: Any) -> Iterator[Any]:
    """Yield a tab as wide as A4 less its margins of 15 mm at 96 dots an inch, for print."""
    tab = browser.new_page(viewport={"width": 680, "height": 1009})
    tab.emulate_media(media="print")
    yield tab
    tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_the_first_screen_answers_nothing_overflows_and_nothing_is_fetched(
    screen: Any, pages: dict[str, Path], name: str
) -> None:
    screen.asked.clear()
    screen.goto(pages[name].as_uri())
    assert screen.asked == [pages[name].as_uri()]
    questions = [q.inner_text() for q in screen.query_selector_all(".answer h2")]
    assert questions[0] == "What happened?"
    asked = DEVIATING.get(name.rsplit("-", 1)[0], {"lying", "choosing otherwise"})
    assert questions[-1] in {f"Is anyone better off {deviating}?" for deviating in asked}
    assert "What does each party get?" in questions
    for answer in screen.query_selector_all(".answer"):
        assert answer.evaluate(IN_VIEW), answer.inner_text()
        assert answer.query_selector("p").inner_text().strip()
    assert screen.evaluate(OVERFLOW) <= 0


@pytest.mark.parametrize("name", TYPICAL)
def test_no_barrier_to_access_that_axe_knows(phone: Any, pages: dict[str, Path], name: str) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    phone.goto(pages[name].as_uri())
    found = axe.Axe().run(phone).response["violations"]
    grave = [v for v in found if v["impact"] in ("serious", "critical")]
    assert [(v["id"], v["nodes"][0]["html"][:80]) for v in grave] == []


@pytest.mark.parametrize("name", NAMES)
def test_pictures_have_an_alternative_and_tables_a_name(
    phone: Any, pages: dict[str, Path], name: str
) -> None:
    phone.goto(pages[name].as_uri())
    for picture in phone.query_selector_all("svg:not(svg svg)"):
        assert picture.get_attribute("role") == "img"
        assert picture.query_selector(":scope > title").text_content()
        assert picture.query_selector(":scope > desc").text_content()
    for table in phone.query_selector_all("table"):
        assert phone.query_selector(f"#{table.get_attribute('aria-labelledby')}").inner_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_phone_shows_every_column_of_a_wide_table(
    phone: Any, pages: dict[str, Path], name: str
) -> None:
    phone.goto(pages[name].as_uri())
    assert phone.evaluate(CUT) == []
    hidden = "b => b.scrollWidth - b.clientWidth"
    assert [b.evaluate(hidden) for b in phone.query_selector_all(".scroll:has(.stacked)")] == [
        0 for _ in phone.query_selector_all(".scroll:has(.stacked)")
    ]


@pytest.mark.parametrize("name", NAMES)
def test_names_in_pictures_are_whole(phone: Any, pages: dict[str, Path], name: str) -> None:
    phone.goto(pages[name].as_uri())
    for picture in phone.query_selector_all("svg:not(svg svg)"):
        cut = picture.evaluate("""svg => [...svg.querySelectorAll('text')].filter(text => {
          const [own, all] = [text, svg].map(x => x.getBoundingClientRect());
          return own.left < all.left - 2 || own.right > all.right + 2;
        }).map(text => text.textContent)""")
        assert cut == []


@pytest.mark.parametrize("name", NAMES)
def test_print_cuts_nothing_off(paper: Any, pages: dict[str, Path], name: str) -> None:
    paper.goto(pages[name].as_uri())
    assert paper.evaluate(CUT) == []
    for head in paper.query_selector_all("thead"):  # repeated on each sheet
        assert head.evaluate("h => getComputedStyle(h).display") == "table-header-group"


def test_a_long_table_is_printed_on_several_sheets(paper: Any, pages: dict[str, Path]) -> None:
    paper.goto(pages["many-run"].as_uri())
    assert len(re.findall(rb"/Type\s*/Page\b", paper.pdf(format="A4"))) >= 3


def test_a_dark_desktop_still_shows_dark_ink_on_white(browser: Any, pages: dict[str, Path]) -> None:
    tab = browser.new_page(color_scheme="dark")
    tab.goto(pages["lying-pays-audit"].as_uri())
    paper = tab.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    ink = tab.evaluate("getComputedStyle(document.body).color")
    assert (paper, ink) == ("rgb(255, 255, 255)", "rgb(26, 26, 26)")
    tab.close()


def test_pages_need_no_script(browser: Any, pages: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(pages["lying-pays-audit"].as_uri())
    assert "Inventing data pays" in tab.locator(".answer.bad").inner_text()
    context.close()
