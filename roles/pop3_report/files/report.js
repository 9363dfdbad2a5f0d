/* Copyright (c) 2026, mailops.exchange contributors
 * GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The table of the POP3 report. Only the rows of the page that is shown are in the document; all text that came from
 * Exchange is put there by textContent. What is slow is done once: the order by each column, the text to search in. */

(() => {
  "use strict";

  const element = (id) => document.getElementById(id);
  const data = JSON.parse(element("data").textContent);
  const NAME = 0, MAIL = 1, POP3 = 2, VERDICT = 3, SERVER = 4, UNIT = 5, SETTINGS = 6, NOTE = 7;
  const rows = data.rows;
  const AS_DECLARED = data.verdicts.findIndex(([verdict]) => verdict === "as_declared");
  const number = new Intl.NumberFormat("en");
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  // Who looks for "muller" finds "Müller".
  const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const servers = data.servers.map(folded);
  const units = data.units.map(folded);
  const searched = rows.map((row) =>
    [folded(row[NAME]), folded(row[MAIL]), servers[row[SERVER]], units[row[UNIT]], folded(row[NOTE])].join("\n"));

  /* The order by each column, worked out when it is first asked for. */

  const ranksOf = (values) => {
    const ranks = new Array(values.length);
    values.map((value, index) => [value, index])
      .sort((a, b) => collator.compare(a[0], b[0]))
      .forEach(([, index], rank) => { ranks[index] = rank; });
    return ranks;
  };
  const byKey = (key) => Array.from(rows.keys()).sort((a, b) => key[a] - key[b] || byName[a] - byName[b]);
  const column = (index, ranks) => rows.map((row) => (ranks ? ranks[row[index]] : row[index]));
  const byName = ranksOf(rows.map((row) => row[NAME]));
  const keys = {
    name: () => byName,
    mail: () => ranksOf(rows.map((row) => row[MAIL])),
    pop3: () => rows.map((row) => 1 - row[POP3]),
    verdict: () => column(VERDICT),
    server: () => column(SERVER, ranksOf(data.servers)),
    unit: () => column(UNIT, ranksOf(data.units)),
    settings: () => column(SETTINGS, ranksOf(data.settings)),
  };
  const orders = new Map();
  const orderBy = (key) => {
    if (!orders.has(key)) {
      orders.set(key, byKey(keys[key]()));
    }
    return orders.get(key);
  };

  /* What is shown. */

  const state = { key: "name", descending: false, page: 0, size: 50, matching: [] };
  const fields = {
    find: element("find"), pop3: element("by-pop3"), verdict: element("by-verdict"), server: element("by-server"),
    unit: element("by-unit"),
  };
  const chosen = (name) => (fields[name] ? fields[name].value : "");

  const tests = () => {
    const wanted = [];
    const pop3 = chosen("pop3"), verdict = chosen("verdict"), server = chosen("server"), unit = chosen("unit");
    if (pop3) {
      wanted.push((row) => row[POP3] === Number(pop3));
    }
    if (verdict === "drift") {
      wanted.push((row) => row[VERDICT] !== AS_DECLARED);
    } else if (verdict) {
      const index = data.verdicts.findIndex(([value]) => value === verdict);
      wanted.push((row) => row[VERDICT] === index);
    }
    if (server) {
      wanted.push((row) => row[SERVER] === Number(server));
    }
    if (unit) {
      const above = data.units[Number(unit)];
      const within = data.units.map((name) => name === above || name.startsWith(`${above}/`));
      wanted.push((row) => within[row[UNIT]]);
    }
    for (const word of folded(chosen("find")).split(/\s+/).filter(Boolean)) {
      wanted.push((_row, index) => searched[index].includes(word));
    }
    return wanted;
  };

  const match = () => {
    const wanted = tests();
    const matching = orderBy(state.key).filter((index) => wanted.every((test) => test(rows[index], index)));
    state.matching = state.descending ? matching.reverse() : matching;
  };

  const pages = () => Math.max(1, Math.ceil(state.matching.length / state.size));

  /* The rows in the document. */

  const body = element("mailboxes").tBodies[0];
  const heads = Array.from(document.querySelectorAll("#mailboxes th"));
  const labels = new Map(heads.map((head) => [head.dataset.key, head.querySelector(".on-paper").textContent]));

  const make = (tag, name, text) => {
    const made = document.createElement(tag);
    if (name) {
      made.className = name;
    }
    if (text !== undefined) {
      made.textContent = text;
      made.dir = "auto";
    }
    return made;
  };

  // A long path is broken after a slash, an address before its @, rather than anywhere.
  const breakable = (text) => {
    const made = make("span", "", "");
    for (const part of text.split(/(?<=\/)|(?=@)/)) {
      made.append(part, document.createElement("wbr"));
    }
    return made;
  };

  const cell = (key, name, content) => {
    const made = make("td", name);
    made.setAttribute("role", "cell");
    made.dataset.label = labels.get(key);
    made.append(content);
    return made;
  };

  const rowOf = (index) => {
    const row = rows[index];
    const made = make("tr");
    made.setAttribute("role", "row");
    const name = cell("name", "name", make("span", "", row[NAME]));
    if (row[NOTE]) {
      name.append(make("span", "note", row[NOTE]));
    }
    made.append(
      name,
      cell("mail", "mail", breakable(row[MAIL])),
      cell("pop3", "pop3", make("span", row[POP3] ? "on-word" : "off", row[POP3] ? "On" : "Off")),
    );
    if (data.declared) {
      const [verdict, says] = data.verdicts[row[VERDICT]];
      made.append(cell("verdict", "verdict-cell", make("span", `badge ${verdict}`, says)));
    }
    made.append(
      cell("server", "server", make("span", "", data.servers[row[SERVER]])),
      cell("unit", "unit", breakable(data.units[row[UNIT]])),
      cell("settings", "settings", make("span", "", data.settings[row[SETTINGS]])),
    );
    return made;
  };

  // On paper a cell is text and no more: with thousands of rows that is a third of the time.
  const plainRowOf = (index) => {
    const row = rows[index];
    const made = make("tr");
    for (const [key, name, text] of [
      ["name", "name", row[NOTE] ? `${row[NAME]} (${row[NOTE]})` : row[NAME]],
      ["mail", "mail", row[MAIL]],
      ["pop3", "pop3", row[POP3] ? "On" : "Off"],
      ["verdict", "verdict-cell", data.declared ? data.verdicts[row[VERDICT]][1] : ""],
      ["server", "server", data.servers[row[SERVER]]],
      ["unit", "unit", data.units[row[UNIT]]],
      ["settings", "settings", data.settings[row[SETTINGS]]],
    ]) {
      if (labels.has(key)) {
        made.append(make("td", name));
        made.lastChild.textContent = text;
      }
    }
    return made;
  };

  const nobody = () => {
    const made = make("tr");
    made.setAttribute("role", "row");
    const only = make("td", "empty", rows.length ? "No mailbox matches." : "There is no mailbox.");
    only.setAttribute("role", "cell");
    only.colSpan = heads.length;
    made.append(only);
    return made;
  };

  const show = (indices, made = rowOf) => {
    const fragment = document.createDocumentFragment();
    for (const index of indices) {
      fragment.append(made(index));
    }
    if (indices.length === 0) {
      fragment.append(nobody());
    }
    body.replaceChildren(fragment);
  };

  const pagers = Array.from(document.querySelectorAll(".pager"));

  const showPage = () => {
    state.page = Math.min(Math.max(state.page, 0), pages() - 1);
    const start = state.page * state.size;
    show(state.matching.slice(start, start + state.size));
    for (const pager of pagers) {
      pager.hidden = pages() === 1;
      pager.querySelector(".position").textContent =
        `Page ${number.format(state.page + 1)} of ${number.format(pages())}`;
      for (const button of pager.querySelectorAll("button")) {
        const backward = button.dataset.page === "first" || button.dataset.page === "previous";
        // Not "disabled": that would take the focus from who pages by keyboard.
        button.setAttribute("aria-disabled", String(backward ? state.page === 0 : state.page === pages() - 1));
      }
    }
  };

  const filterInWords = () => {
    const words = Object.entries(fields)
      .filter(([name, field]) => field && name !== "find" && field.value)
      .map(([name, field]) => `${field.labels[0].textContent}: ${field.selectedOptions[0].textContent}`);
    const text = chosen("find").trim();
    return text ? [`\u201c${text}\u201d`, ...words] : words;
  };

  const sayHowMany = () => {
    const words = filterInWords();
    const all = number.format(rows.length), some = number.format(state.matching.length);
    element("matching").textContent = words.length
      ? `${some} of ${all} mailboxes · ${words.join(" · ")}`
      : `All ${all} mailboxes`;
  };

  const update = () => {
    state.page = 0;
    match();
    showPage();
    sayHowMany();
    for (const head of heads) {
      const sorted = head.dataset.key === state.key;
      head.setAttribute("aria-sort", sorted ? (state.descending ? "descending" : "ascending") : "none");
    }
  };

  /* What people do. */

  const fill = (field, values) => {
    values.map((value, index) => [value, index])
      .sort((a, b) => collator.compare(a[0], b[0]))
      .forEach(([value, index]) => {
        const option = make("option", "", value || "(not known)");
        option.value = String(index);
        field.append(option);
      });
  };

  const reset = () => {
    for (const field of Object.values(fields)) {
      if (field) {
        field.value = "";
      }
    }
  };

  // What matters comes first: what is not as declared; otherwise, who can be read over POP3.
  const begin = () => {
    reset();
    if (data.declared && rows.some((row) => row[VERDICT] !== AS_DECLARED)) {
      fields.verdict.value = "drift";
      state.key = "verdict";
    } else if (rows.some((row) => row[POP3])) {
      fields.pop3.value = "1";
    }
  };

  fill(fields.server, data.servers);
  fill(fields.unit, data.units);
  begin();

  let typing = 0;
  fields.find.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(update, 100);
  });
  for (const name of ["pop3", "verdict", "server", "unit"]) {
    if (fields[name]) {
      fields[name].addEventListener("change", update);
    }
  }
  element("reset").addEventListener("click", () => {
    reset();
    update();
  });
  element("size").addEventListener("change", (event) => {
    const first = state.page * state.size;
    state.size = Number(event.target.value);
    state.page = Math.floor(first / state.size);
    showPage();
  });
  for (const head of heads) {
    head.querySelector("button").addEventListener("click", () => {
      state.descending = state.key === head.dataset.key && !state.descending;
      state.key = head.dataset.key;
      update();
    });
  }
  for (const pager of pagers) {
    pager.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button || button.getAttribute("aria-disabled") === "true") {
        return;
      }
      const to = { first: 0, previous: state.page - 1, next: state.page + 1, last: pages() - 1 };
      state.page = to[button.dataset.page];
      showPage();
      if (pager.dataset.where === "bottom") {
        // A new page is read from its top, and the same button is there too.
        const above = pagers[0].querySelector(`[data-page="${button.dataset.page}"]`);
        above.focus({ preventScroll: true });
        element("explorer").scrollIntoView();
      }
    });
  }

  // On paper, everything that matches.
  const printing = (now) => (now ? show(state.matching, plainRowOf) : showPage());
  addEventListener("beforeprint", () => printing(true));
  addEventListener("afterprint", () => printing(false));
  matchMedia("print").addEventListener("change", (event) => printing(event.matches));

  element("explorer").hidden = false;
  update();
})();
