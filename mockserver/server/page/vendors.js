// The view of vendors: operations, answers with their evidence and how to get each, credentials, a curl, coverage.

import { get, put, text } from "./api.js";
import { gradeBadge } from "./call.js";
import { contracts, operationsOf, refused } from "./contracts.js";
import { badge, button, copyButton, h, redraw, settled } from "./dom.js";
import { book } from "./book.js";
import { address, state } from "./state.js";

const PARTS = ["status", "headers", "shape", "text", "trigger"];

export function vendorsView() {
  const view = h("div", { class: "vendors" });

  async function load() {
    if (state().view !== "vendors") return;
    const chosen = customer();
    try {
      const broken = await refused();
      const [found, account, coverage] = await Promise.all([contracts(), get(`accounts/${encodeURIComponent(chosen)}`),
        get(`coverage${state().account === "*" ? "" : `?account=${encodeURIComponent(chosen)}`}`)]);
      const open = new Set([...view.querySelectorAll("details[open]")].map((one) => one.dataset.key));
      const notice = broken && h("p", { class: "empty", role: "alert" }, `What is on disk is not served: ${broken}`);
      redraw(view, notice || "", ...found.map((contract) => vendor(contract, account, coverage.operations, open)));
    } catch (error) {
      view.replaceChildren(h("p", { class: "empty" }, error.message));
    }
  }

  const soon = settled(1000, load);
  book.watch(({ added, loaded }) => { if (loaded || added?.length) soon(); });
  return { element: view, update: (now, before) => { if (!before || before.view !== "vendors" || now.account !== before.account) load(); } };
}

// The account whose credentials are shown.
export function customer() {
  return ["*", "unclaimed"].includes(state().account) ? "default" : state().account;
}

function vendor(contract, account, coverage, open) {
  const data = account.vendors[contract.vendor];
  const operations = operationsOf(contract);
  const answers = operations.flatMap((operation) => Object.values(coverage[operation.id]?.answers ?? {}));
  const met = answers.filter(timesMet).length;
  const key = (name) => `${contract.vendor} ${name}`;
  const fold = (name, label, ...children) => h("details", { "data-key": key(name), open: open.has(key(name)) }, h("summary", {}, label), children);
  return h("section", { class: "vendor", "aria-label": contract.vendor },
    h("div", { class: "title" }, h("h2", {}, contract.title), h("code", {}, data.url), copyButton("Copy URL", data.url),
      badge(`${met} of ${answers.length} answers met`, met === answers.length ? "good" : "quiet"),
      contract.takes_messages && badge("takes replies", "quiet")),
    h("div", { class: "tools" },
      copyButton("Copy a curl that is accepted", () => text(`accounts/${encodeURIComponent(account.id)}/curl/${contract.vendor}`), { class: "primary" }),
      h("a", { href: address({ view: "calls", vendor: contract.vendor, call: "" }) }, "Calls"),
      h("a", { href: address({ view: "guides", guide: contract.vendor }) }, "All answers, with their sources"),
      contract.pages.map((page) => h("a", { href: page.url, rel: "noreferrer", target: "_blank", title: `Read ${page.read}` }, `Vendor's page: ${place(page.url)}`))),
    fold("credentials", `Credentials of account ${account.id}`, credentials(data)),
    operations.map((operation) => fold(operation.id, [h("code", {}, `${operation.method} ${operation.path}`), ` ${operation.id} `, gradeBadge(operation.evidence)],
      answersTable(operation, coverage[operation.id]?.answers ?? {}, account.id))),
    contract.callbacks.map((callback) => h("p", { class: "muted" }, h("code", {}, callback.id), ` calls you on ${callback.on.join(", ")}`,
      callback.signed ? ", signed" : "", ". ", gradeBadge(callback.evidence))));
}

const timesMet = (answer) => (answer ? answer.natural + answer.forced : 0);

// A page's host and the last part of its path.
function place(url) {
  try {
    const { host, pathname } = new URL(url);
    return [host, pathname.split("/").filter(Boolean).at(-1)].filter(Boolean).join(" … ");
  } catch {
    return url;
  }
}

function credentials(data) {
  const rows = [...leaves(data.credentials), ...leaves(data.owned), ...Object.entries(data.tokens).map(([name, value]) => [`token ${name}`, value])];
  return h("dl", { class: "pairs" }, rows.map(([name, value]) => {
    const isLong = value.length > 80;
    return [h("dt", {}, name), h("dd", {}, h("code", {}, isLong ? `${value.slice(0, 60)}…` : value), " ", copyButton("Copy", value, { "aria-label": `Copy ${name}` }))];
  }));
}

function leaves(value, name = "") {
  if (value === null || typeof value !== "object") return [[name, String(value)]];
  return Object.entries(value).flatMap(([key, item]) => leaves(item, name ? `${name}.${key}` : key));
}

function answersTable(operation, met, account) {
  const answers = operation.answers;
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Answers of ${operation.id}` }, h("table", {},
    h("thead", {}, h("tr", {}, ["Answer", "Status", "Known", "To get it", "Met"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, answers.map((answer) => {
      const name = answer.id.split("/")[1];
      const reasons = PARTS.map((part) => `${part}: ${answer.evidence_parts[part] ?? "none"}${answer.evidence_reasons[part] ? ` (${answer.evidence_reasons[part]})` : ""}`);
      return h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, badge(answer.status, answer.accepted ? "good" : "bad")),
        h("td", { title: reasons.join("\n") }, gradeBadge(answer.evidence)),
        h("td", {}, answer.magic && [h("code", {}, answer.magic), " "], h("code", {}, `Prefer: example=${name}`), " ", pinNext(operation.id, name, account)),
        h("td", {}, timesMet(met[name]) ? `${timesMet(met[name])}×` : h("span", { class: "muted" }, "not yet")));
    }))));
}

function pinNext(operation, answer, account) {
  const pin = button("Pin for the next call", async () => {
    try {
      await put(`pins/${operation}`, { account, answers: [answer] });
      pin.textContent = "Pinned";
    } catch (error) {
      pin.textContent = error.message;
    }
  }, { class: "quiet", "aria-label": `Pin for the next call of ${operation}: ${answer}` });
  return pin;
}
