# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Sphinx makes the site: run by tools/make-docs, never by hand. The pages come from pages.py beside this file."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes

project = "mailops.exchange"
project_copyright = "2026, mailops.exchange contributors"
html_title = project

extensions = ["myst_parser", "sphinx_antsibull_ext"]
exclude_patterns = ["reference/index.rst"]  # the table of contents is that of index.md
highlight_language = "yaml+jinja"
nitpicky = True

# Headings are link targets as on GitHub, with GitHub's names.
myst_heading_anchors = 4
myst_enable_extensions: list[str] = []

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_use_index = False
html_theme_options = {"navigation_with_keys": True}

_ANSIBLE = "https://docs.ansible.com/ansible/latest/"
_CONFIGURATION = f"{_ANSIBLE}reference_appendices/config.html"
_ANSIBLE_PAGES = {
    "action_plugins": f"{_ANSIBLE}plugins/action.html",
    "ansible_configuration_settings": _CONFIGURATION,
    "common_return_values": f"{_ANSIBLE}reference_appendices/common_return_values.html",
}
"""The pages of Ansible's own documentation that antsibull-docs refers to, by their labels."""

_OTHER_COLLECTION = re.compile(r"ansible_collections\.(?!mailops\.)(\w+)\.(\w+)\.(\w+?)(__.*)?$")


def to_ansible(_app: Any, _env: Any, node: Any, content: Any) -> Any:
    """Link what is Ansible's own to docs.ansible.com: what intersphinx would do, without asking the network."""
    target = node.get("reftarget", "")
    uri = _ANSIBLE_PAGES.get(target)
    if node.get("reftype") == "envvar" and target.startswith("ANSIBLE_"):
        uri = f"{_CONFIGURATION}#envvar-{target}"
    plugin = _OTHER_COLLECTION.match(target)
    if plugin:
        uri = f"{_ANSIBLE}collections/{plugin[1]}/{plugin[2]}/{plugin[3]}.html"
    return nodes.reference("", "", content, internal=False, refuri=uri) if uri else None


def without_contents(_app: Any, docname: str, source: list[str]) -> None:
    """Take the table of contents out of a page of the reference: the theme has its own, beside the page."""
    if docname.startswith("reference/"):
        source[0] = re.sub(r"^\.\. contents::\n(   :.*\n)*", "", source[0], flags=re.MULTILINE)


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", without_contents)
    app.connect("missing-reference", to_ansible)
