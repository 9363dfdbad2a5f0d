# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chromium without a window, for pages that are files: one browser, and a new profile for each page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, sync_playwright

from support.prerequisites import program

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; nothing is downloaded."""
    path = program("chromium", "chromium-browser", "google-chrome", package="chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Opened:
    """A page that is open, and everything that it did which a report must not do."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def column(self, name: str) -> list[str]:
        """The texts of one column of the rows that are in the document, by the column's class."""
        texts = self.page.eval_on_selector_all(
            f"#mailboxes tbody td.{name} > :first-child", "cells => cells.map(cell => cell.textContent)"
        )
        return [str(text) for text in texts]


@contextmanager
def opened(browser: Browser, folder: Path, html: str, **context: Any) -> Iterator[Opened]:
    """Open a page from a file, and listen to what it does."""
    path = folder / "report.html"
    path.write_text(html, "utf-8", newline="")
    with browser.new_context(**context) as profile:
        page = profile.new_page()
        seen = Opened(page)
        profile.on("request", lambda request: seen.requests.append(request.url))
        page.on("dialog", seen.dismiss)
        page.on("console", lambda message: seen.complaints.append(_text(message)))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.goto(path.as_uri())
        yield seen


def _text(message: ConsoleMessage) -> str:
    return f"{message.type}: {message.text}"
