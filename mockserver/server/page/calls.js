// The view of calls: the list, its filters, and beside it one call.

import { download, get, query, save } from "./api.js";
import { book, MOST, PAGE } from "./book.js";
import { showCall } from "./call.js";
import { contracts } from "./contracts.js";
import { badge, button, h, number, select, settled, time, visible, warn } from "./dom.js";
import { filterOf, OUTCOMES, valuesOf } from "./filter.js";
import { VirtualList } from "./list.js";
import { address, go, state } from "./state.js";

const FILES = { har: "calls.har", json: "calls.json", curl: "calls.sh", text: "calls.txt" };
const FILTERS = ["text", "vendor", "operation", "answer", "outcome"];

export function callsView() {
  let shown = []; // what the list has; while it does not follow, new calls wait
  let waiting = 0;
  let deep = new Set();
  let options = "";
  const example = h("pre", {});
  contracts().then(([first]) => { example.textContent = `eval "$(mockserver curl ${first?.vendor ?? "VENDOR"} --url ${location.origin})"`; }, () => {});

  const search = h("input", {
    type: "search", id: "search", placeholder: "Find text in calls", "aria-label": "Find text in calls", value: state().text,
    oninput: () => go({ text: search.value }, { replace: true }),
    onkeydown: (event) => { if (event.key === "Enter" && shown.length) open(shown[0]); },
  });
  const filters = h("span", { class: "filters" });
  const follow = h("input", { type: "checkbox", id: "follow", onchange: () => go({ follow: follow.checked ? "1" : "0" }, { replace: true }) });
  const count = h("p", { class: "count muted", role: "status" });
  const news = button("", () => { waiting = 0; refresh(); box.scrollTop = 0; }, { class: "news", hidden: true });
  const box = h("div", { class: "list", role: "listbox", tabindex: "0", "aria-label": "Calls, newest first", id: "calls" });
  const empty = h("div", { class: "empty" });
  const detail = h("section", { class: "detail", "aria-label": "The chosen call" });
  const bar = h("div", { class: "bar" }, search, filters,
    h("label", { class: "switch" }, follow, "Follow"), exports(), count, news);
  const view = h("div", { class: "calls" }, bar, h("div", { class: "split" }, h("div", { class: "pane" }, box, empty), detail));
  const list = new VirtualList(box, { draw: row, open, key: (call) => call.id });

  function open(call) {
    go({ call: call.id }, { replace: state().call !== "" });
  }

  const look = settled(250, async () => { // the list says little of a call: the server looks into the whole
    const wanted = state().text.trim();
    if (!wanted) return;
    try {
      const asked = { contains: wanted, format: "summary", limit: PAGE, account: state().account };
      const found = new Set();
      for (let cursor = null, more = true; more; more = cursor !== null) {
        const page = await get(`calls?${query({ ...asked, cursor })}`);
        if (state().text.trim() !== wanted) return;
        for (const call of page.calls) found.add(call.id);
        cursor = page.next;
        deep = new Set(found);
        refresh();
      }
    } catch { /* the list's own words are found all the same */ }
  });

  function refresh(added = 0) {
    const test = filterOf(state(), deep);
    shown = book.calls.filter(test);
    list.show(shown, added);
    drawFilters();
    tell();
  }

  function tell() {
    const filtered = shown.length === book.calls.length ? "" : ` of ${number(book.calls.length)}`;
    const more = book.evicted ? ` · ${number(book.evicted)} evicted` : "";
    const loading = book.isLoading && book.calls.length ? " · loading" : "";
    const capped = book.calls.length >= MOST ? " (the newest)" : "";
    count.textContent = `${number(shown.length)}${filtered} ${shown.length === 1 && !filtered ? "call" : "calls"}${capped}${more}${loading}`;
    news.hidden = waiting === 0;
    news.textContent = `Show ${number(waiting)} new`;
    empty.hidden = shown.length > 0;
    if (!shown.length) empty.replaceChildren(...nothing());
  }

  function nothing() {
    if (book.problem) return [h("p", {}, book.problem)];
    if (book.isLoading) return [h("p", { class: "muted" }, "Loading…")];
    if (FILTERS.some((name) => state()[name])) {
      return [h("p", {}, "No call fits."), button("Clear filters", () => { search.value = ""; go(Object.fromEntries(FILTERS.map((name) => [name, ""]))); })];
    }
    return [h("p", {}, "No calls yet."), h("p", { class: "muted" }, "Make the first one in a terminal:"),
      example,
      h("p", {}, h("a", { href: address({ view: "vendors" }) }, "Or copy a curl for any vendor"))];
  }

  function drawFilters() {
    const now = state();
    const { vendor, operation, answer, outcome } = now;
    const choices = {
      vendor: valuesOf(book.calls, "vendor"),
      operation: valuesOf(book.calls, "operation", vendor),
      answer: valuesOf(book.calls, "answer", vendor).filter((id) => !operation || id.startsWith(`${operation}/`)),
    };
    const wanted = JSON.stringify([choices, vendor, operation, answer, outcome]);
    if (wanted === options || filters.contains(document.activeElement)) return;
    options = wanted;
    const below = { vendor: { operation: "", answer: "" }, operation: { answer: "" }, answer: {} };
    const named = Object.entries(choices).map(([name, values]) => {
      const all = [["", `Any ${name}`], ...[...new Set([...values, now[name]])].filter(Boolean).sort().map((value) => [value, value])];
      return select(`Only this ${name}`, all, now[name], (value) => go({ [name]: value, ...below[name] }), { class: now[name] ? "on" : null });
    });
    const kinds = [["", "Any outcome"], ...Object.entries(OUTCOMES).map(([key, [label]]) => [key, label])];
    filters.replaceChildren(...named, select("Only this outcome", kinds, outcome, (value) => go({ outcome: value }), { class: outcome ? "on" : null }));
  }

  book.watch(({ added, loaded }) => {
    if (!view.isConnected) return;
    if (added && state().text) look();
    const fresh = added ? added.filter(filterOf(state(), deep)).length : 0;
    if (state().follow === "1" || loaded) refresh(fresh);
    else { waiting += fresh; list.show(shown); tell(); }
  });

  async function drawDetail() {
    view.classList.toggle("with-call", state().call !== "");
    list.choose(state().call);
    await showCall(detail, state().call);
  }

  return {
    element: view,
    update(now, before) {
      if (search.value !== now.text && document.activeElement !== search) search.value = now.text;
      follow.checked = now.follow === "1";
      book.choose(now.account);
      if (!before || now.text !== before.text) { deep = new Set(); look(); }
      if (now.follow === "1") waiting = 0;
      if (!before || [...FILTERS, "account", "follow", "view"].some((name) => now[name] !== before[name])) refresh();
      if (!before || now.call !== before.call || now.view !== before.view) drawDetail();
    },
    focusSearch: () => search.focus(),
  };
}

function exports() {
  const forms = [["", "Export…"], ["har", "HAR"], ["json", "JSON"], ["curl", "curl script"], ["text", "Text"]];
  const box = select("Export what is listed", forms, "", (form) => {
    box.value = ""; // so that the same one can be chosen again
    if (form) exportListed(form);
  });
  return box;
}

async function exportListed(form) {
  const { account, vendor, operation, answer, text, outcome } = state();
  const asked = { account, vendor, operation, answer, contains: text.trim(), kind: outcome || "any" };
  warn("");
  try {
    if (form === "json") save(new Blob([JSON.stringify(await wholeCalls(asked), null, 1)], { type: "application/json" }), FILES.json);
    else await download(`calls?${query({ ...asked, format: form })}`, FILES[form]);
  } catch (error) {
    warn(error.message);
  }
}

async function wholeCalls(asked) { // page by page, as the control API gives them
  const found = { calls: [], evicted: 0 };
  for (let cursor = null, more = true; more; more = cursor !== null) {
    const page = await get(`calls?${query({ ...asked, limit: PAGE, cursor })}`);
    found.calls.push(...page.calls);
    found.evicted = page.evicted;
    cursor = page.next;
  }
  return found;
}

// One row of the list.
function row(call) {
  const operation = call.operation ?? `${call.method} ${visible(call.path)}`;
  const marks = [
    call.direction === "out" && badge("callback", "quiet"),
    call.chosen_by === "pin" && badge("pinned", "pin"),
    call.fault && badge(call.fault, "fault"),
    call.operation === null && badge("unknown path", "bad"),
    call.account === null && call.operation !== null && badge("unclaimed", "bad"),
  ].filter(Boolean);
  const answer = call.answer ? call.answer.slice(call.answer.indexOf("/") + 1) : call.outcome;
  return {
    kind: call.accepted ? "accepted" : "refused",
    children: [
      h("time", { datetime: call.received_at }, time(call.received_at)),
      badge(call.status || "–", call.accepted ? "good" : "bad"),
      h("span", { class: "operation" }, operation),
      h("span", { class: "answer" }, answer, marks),
      h("span", { class: "recipient" }, call.recipient ? visible(call.recipient) : ""),
      h("bdi", { class: "text" }, visible(call.problem && !call.accepted ? call.problem : call.text ?? call.body ?? "")),
      h("span", { class: "account" }, state().account === "*" ? call.account ?? "unclaimed" : ""),
    ],
  };
}

