# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report in Chromium: what it says at first sight, its table, its keyboard, its colours, its paper, its safety."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from support.browser import Opened, opened
from support.reports import Line, failure, mailbox, many, named, page, report

MANY = 20_000
Open = Callable[..., Opened]

HOSTILE = [
    "<script>document.title='run'</script>",
    '"><img src=x onerror="document.title=\'run\'">',
    "</script><script>document.title='run'</script>",
    "<!--<script>",
    "javascript:document.title='run'",
    "\u202egnp.exe \u05d3\u05d5\u05d3 \u05db\u05d4\u05df",
    "Support 😀 & 'co' \"<b>\" \u2028\u2029 &lt;",
    "${7*7}{{7*7}}",
]


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens the page of a report; looks at the end that it asked for nothing and complained of nothing."""
    with ExitStack() as stack:
        pages: list[Opened] = []

        def open_it(data: dict[str, Any], html: str | None = None, **context: Any) -> Opened:
            seen = stack.enter_context(opened(browser, tmp_path, html or page(data), **context))
            pages.append(seen)
            return seen

        yield open_it
        for seen in pages:
            assert seen.requests == [(tmp_path / "report.html").as_uri()]
            assert seen.dialogs == []
            assert seen.complaints == []


@pytest.fixture(scope="module")
def large() -> dict[str, Any]:
    """20,000 mailboxes, compared with nothing."""
    return report(many(MANY))


@pytest.fixture(scope="module")
def drift() -> dict[str, Any]:
    """Some mailboxes, and each kind of drift."""
    people = many(200)
    declared = [named(line, line["name"]) for line in people if line["pop_enabled"]][3:]
    return report(
        people, [*declared, named(people[1], "one")], failures=[failure("Jon Smith"), failure("A", "ambiguous")]
    )


def test_the_first_look_answers_the_question(open_page: Open, drift: dict[str, Any]) -> None:
    seen = open_page(drift)
    assert seen.text("h1").split() == ["67", "of", "200", "mailboxes", "can", "be", "read", "over", "POP3"]
    assert [line.strip() for line in seen.page.locator(".verdict li").all_inner_texts()] == [
        "3 should not have it",
        "1 should have it and has not",
        "1 declared name matches no mailbox",
        "1 declared name matches several mailboxes",
    ]
    verdict = seen.page.locator(".verdict").bounding_box()
    assert verdict
    assert verdict["y"] + verdict["height"] < 720  # without scrolling
    assert seen.text("#matching") == "4 of 200 mailboxes · Verdict: Not as declared"
    assert seen.column("name") == ["Person 00000", "Person 00003", "Person 00006", "Person 00001"]


def test_the_first_view_without_a_list_is_who_can_be_read(open_page: Open) -> None:
    seen = open_page(report([mailbox("Ann", on=True), mailbox("Bob")]))
    assert "Nobody has declared who should." in seen.text("header")
    assert seen.column("name") == ["Ann"]
    assert seen.page.locator("#by-verdict").count() == 0


def test_everything_as_declared(open_page: Open) -> None:
    ann = mailbox("Ann", on=True)
    seen = open_page(report([ann, mailbox("Bob")], [named(ann, "ann")]))
    assert "Exactly as declared" in seen.text(".verdict")
    assert seen.page.locator(".drift").count() == 0


@pytest.mark.parametrize("lists", ["with a list", "without"])
def test_hostile_names_run_nothing_and_are_shown_as_they_are(open_page: Open, lists: str) -> None:
    people = [
        mailbox(name, on=True, mail=name, server=name, organizational_unit=f"contoso.com/{name}") for name in HOSTILE
    ]
    given: dict[str, Any] = {"title": HOSTILE[0], "connection_uri": HOSTILE[1], "filter": HOSTILE[2]}
    failures = [failure(name) for name in HOSTILE]
    seen = open_page(
        report(people, [], failures=failures, **given) if lists == "with a list" else report(people, **given)
    )
    assert seen.page.title().startswith(HOSTILE[0] + ": ")
    for column in ("name", "mail", "server"):
        assert set(seen.column(column)) == set(HOSTILE)
    assert set(seen.column("unit")) == {f"contoso.com/{name}" for name in HOSTILE}
    assert seen.page.locator("img, b:has-text('run'), main script:not([type])").count() == 0
    assert seen.page.locator("script").count() == 2
    if lists == "with a list":
        assert seen.page.locator(".card.unexpected .who").all_text_contents() == HOSTILE
        assert seen.page.locator(".card.unresolved .who").all_text_contents() == HOSTILE
    seen.page.fill("#find", "<IMG")
    expect(seen.page.locator("#matching")).to_contain_text(f"1 of {len(HOSTILE)}")
    assert seen.column("name") == [HOSTILE[1]]


def test_the_policy_stops_what_an_escaping_mistake_would_let_in(browser: Browser, tmp_path: Path) -> None:
    html = page(report([mailbox("Ann")]))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        there = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        bad = (
            f"<script>document.title = 'run'</script><img src='{there}' onerror=\"document.title = 'run'\">"
            f"<p id='styled' style='position: fixed'></p><iframe src='{there}'></iframe><base href='{there}'>"
            f"<link rel=stylesheet href='{there}'><script src='{there}'></script>"
        )
        with opened(browser, tmp_path, html.replace("<main>", f"<main>{bad}")) as seen:
            assert seen.page.title() != "run"
            assert seen.page.eval_on_selector("#styled", "e => getComputedStyle(e).position") == "static"
            assert seen.page.evaluate("document.baseURI").startswith("file:")
            assert seen.page.evaluate(f"fetch('{there}').then(() => 'sent', () => 'blocked')") == "blocked"
            assert sum("Content Security Policy" in text for text in seen.complaints) >= 8
            # The data block is no script to the policy, and the page's own script is the one that it allows.
            assert seen.text("#matching") == "All 1 mailboxes"
        assert _sent_to(listener) == b""


def _sent_to(listener: socket.socket) -> bytes:
    """What was sent to a listener. Chromium connects for a frame before it asks the policy, and then sends nothing."""
    sent = b""
    while True:
        try:
            connection, _address = listener.accept()
        except BlockingIOError:
            return sent
        connection.settimeout(2)
        with connection, suppress(TimeoutError):
            sent += connection.recv(1000)


def test_20000_rows_sort_filter_and_page(open_page: Open, large: dict[str, Any]) -> None:
    seen = open_page(large)
    view = seen.page
    enabled = large["counts"]["enabled"]
    assert seen.text("#matching") == f"{enabled:,} of 20,000 mailboxes · POP3: On"
    assert len(seen.column("name")) == 50
    assert view.evaluate("document.querySelectorAll('*').length") < 2000

    view.click("#reset")
    assert seen.text("#matching") == "All 20,000 mailboxes"
    assert seen.column("name")[0] == "Person 00000"
    view.click("th[data-key=name] button")
    assert seen.column("name")[0] == "Person 19999"
    assert view.get_attribute("th[data-key=name]", "aria-sort") == "descending"
    view.click("th[data-key=server] button")
    assert seen.column("server")[0] == "MBX01"
    assert seen.column("name")[:2] == ["Person 00000", "Person 00004"]  # among equals, by name
    assert view.get_attribute("th[data-key=name]", "aria-sort") == "none"

    view.select_option("#by-unit", label="contoso.com/Sales")
    assert seen.text("#matching") == "10,000 of 20,000 mailboxes · Organizational unit: contoso.com/Sales"  # and below
    view.select_option("#by-pop3", label="Off")
    view.fill("#find", "PERSON 0012 sales/berlin")
    expect(view.locator("#matching")).to_contain_text("of 20,000 mailboxes · \u201cPERSON 0012 sales/berlin\u201d")
    wanted = [i for i in range(120, 130) if i % 4 == 1 and i % 3]
    assert seen.column("name") == [f"Person {i:05}" for i in wanted]

    view.fill("#find", "nobody like this")
    expect(view.locator("#mailboxes .empty")).to_have_text("No mailbox matches.")
    view.click("#reset")
    view.click("th[data-key=name] button")
    top = view.locator(".pager[data-where=top]")
    top.get_by_label("Last page").click()
    assert seen.column("name")[-1] == "Person 19999"
    assert "Page 400 of 400" in top.inner_text()
    view.select_option("#size", "250")
    assert len(seen.column("name")) == 250
    assert "Person 19950" in seen.column("name")
    view.locator(".pager[data-where=bottom]").get_by_label("Previous page").click()
    assert "Page 79 of 80" in top.inner_text()
    expect(top.get_by_label("Previous page")).to_be_focused()


def test_who_looks_without_accents_finds_with_accents(open_page: Open) -> None:
    people = [mailbox("Ümit Öztürk", on=True), mailbox("José Núñez", on=True), mailbox("Ann", on=True)]
    seen = open_page(report(people))
    seen.page.fill("#find", "ozturk")
    expect(seen.page.locator("#matching")).to_contain_text("1 of 3")
    assert seen.column("name") == ["Ümit Öztürk"]
    seen.page.fill("#find", "NÚÑEZ")
    expect(seen.page.locator("#mailboxes td.name")).to_have_text("José Núñez")


def test_numbers_in_names_sort_as_numbers(open_page: Open) -> None:
    seen = open_page(report([mailbox(name, on=True) for name in ("Room 10", "room 9", "Élan", "Zoë")]))
    assert seen.column("name") == ["Élan", "room 9", "Room 10", "Zoë"]


def test_by_keyboard_alone(open_page: Open, large: dict[str, Any]) -> None:
    seen = open_page(large)
    press, view = seen.page.keyboard.press, seen.page
    press("Tab")
    assert view.evaluate("document.activeElement.textContent") == "Skip to the table"
    press("Enter")
    press("Tab")
    expect(view.locator("#find")).to_be_focused()
    view.keyboard.type("0001")
    press("Tab")
    expect(view.locator("#by-pop3")).to_be_focused()
    press("Home")  # "All"
    expect(view.locator("#matching")).to_have_text("12 of 20,000 mailboxes · \u201c0001\u201d")
    reached = []
    for _step in range(12):
        press("Tab")
        reached.append(view.evaluate("document.activeElement.dataset.sort || document.activeElement.id"))
        outline = view.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline not in ("none", ""), reached
        if reached[-1] == "name":
            break
    press("Enter")
    assert view.get_attribute("th[data-key=name]", "aria-sort") == "descending"
    assert seen.column("name")[0] == "Person 10001"
    assert view.evaluate("document.activeElement.dataset.sort") == "name"

    view.click("#reset")
    view.focus(".pager[data-where=top] [data-page=next]")
    press("Enter")
    press("Space")
    assert "Page 3 of 400" in seen.text(".pager[data-where=top]")
    expect(view.locator(".pager[data-where=top] [data-page=next]")).to_be_focused()


CONTRAST = """selectors => selectors.map(selector => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgb = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return Array.from(canvas.getImageData(0, 0, 1, 1).data);
  };
  const light = colour => {
    const [r, g, b] = colour.slice(0, 3).map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [path, property] = selector.split("|");
  const element = document.querySelector(path);
  if (!element) return [selector, 0];
  let behind = property ? element.parentElement : element, ground = [255, 255, 255];
  while (behind) {
    const colour = rgb(getComputedStyle(behind).backgroundColor);
    if (colour[3] === 255) { ground = colour; break; }
    behind = behind.parentElement;
  }
  const [a, b] = [light(rgb(getComputedStyle(element)[property || "color"])), light(ground)].sort((x, y) => y - x);
  return [selector, (a + 0.05) / (b + 0.05)];
})"""

TEXTS = [
    *(".title", "h1", ".verdict .says", ".verdict li", ".facts dt", ".facts dd", "h2", ".card > p", ".who", ".mail"),
    *(".place", ".count", ".legend li", ".chart thead th", ".chart tbody th", ".chart .grave", ".chart .number"),
    *(".field label", "#find", "#by-pop3", "#reset", "#matching", "#mailboxes th button", "#mailboxes td.name"),
    *("#mailboxes td.mail", "#mailboxes td.settings", ".badge.should_not_have_it", ".badge.should_have_it"),
    *(".badge.as_declared", ".on-word", ".off", "footer p", "footer a", "footer code", ".pager .position"),
]
GRAPHICS = ["rect.on|fill", ".hatch-ground|fill", "li.unexpected .sign|stroke", "li.missing .sign|stroke"]
EDGES = ["#find|borderTopColor", "#reset|borderTopColor", "#by-pop3|borderTopColor"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough_in_light_and_dark(open_page: Open, drift: dict[str, Any], scheme: str) -> None:
    """WCAG AA: 4.5 for text, 3 for what else has a meaning."""
    seen = open_page(drift, color_scheme=scheme)
    seen.page.click("#reset")
    assert {name: ratio for name, ratio in seen.page.evaluate(CONTRAST, TEXTS) if ratio < 4.5} == {}
    assert {name: ratio for name, ratio in seen.page.evaluate(CONTRAST, GRAPHICS + EDGES) if ratio < 3} == {}
    ground = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(18, 20, 23)") == (scheme == "dark")


@pytest.mark.parametrize("width", [360, 800, 920, 1056, 1280])
def test_nothing_sticks_out(open_page: Open, width: int) -> None:
    wide = mailbox("W" * 300, on=True, mail="w" * 200 + "@contoso.com", organizational_unit="contoso.com/" + "U" * 200)
    seen = open_page(report([wide, mailbox("Ann")], []), viewport={"width": width, "height": 800})
    assert seen.page.evaluate("document.documentElement.scrollWidth") == width


def test_on_paper_is_everything_that_matches_and_no_control(open_page: Open, drift: dict[str, Any]) -> None:
    seen = open_page(drift, color_scheme="dark")
    view = seen.page
    view.click("#reset")
    assert len(seen.column("name")) == 50
    view.emulate_media(media="print")
    expect(view.locator("#mailboxes tbody tr")).to_have_count(200)
    assert set(view.locator("#mailboxes td.verdict-cell").all_text_contents()) == {
        "Should not have it",
        "Should have it",
        "As declared",
    }
    for selector in ("#find", "#reset", ".pager", "#size", ".skip", "th button"):
        assert not any(found.is_visible() for found in view.locator(selector).all()), selector
    for selector in ("h1", ".verdict", ".drift", ".charts", "#matching", "#mailboxes th .on-paper"):
        assert view.locator(selector).first.is_visible(), selector
    assert view.evaluate("getComputedStyle(document.querySelector('#mailboxes thead')).display") == "table-header-group"
    assert view.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    view.emulate_media(media="screen")
    expect(view.locator("#mailboxes tbody tr")).to_have_count(50)
    assert len(view.pdf()) > 10_000  # a real print, by way of beforeprint


def test_without_javascript_the_answer_is_there(open_page: Open, drift: dict[str, Any]) -> None:
    seen = open_page(drift, java_script_enabled=False)
    assert "67" in seen.text("h1")
    assert "Person 00003" in seen.text(".drift")
    assert "The table needs JavaScript. pop3-report.csv has every mailbox." in seen.text("noscript")
    assert not seen.page.locator("#explorer").is_visible()


def test_the_bars_are_as_long_as_many_can_be_read(open_page: Open) -> None:
    people: list[Line] = [mailbox(f"a{i}", on=i < 4, server="MBX01") for i in range(40)]
    people += [mailbox(f"b{i}", on=i < 2, server="MBX02") for i in range(10)]
    seen = open_page(report(people))
    rows = seen.page.locator(".chart").first.locator("tbody tr")
    assert [" ".join(text.split()) for text in rows.all_inner_texts()] == ["MBX01 4 of 40", "MBX02 2 of 10"]
    widths = [
        box["width"]
        for one in seen.page.locator(".chart").first.locator("rect.on").all()
        if (box := one.bounding_box())
    ]
    assert widths[1] == pytest.approx(widths[0] / 2, rel=0.02)
