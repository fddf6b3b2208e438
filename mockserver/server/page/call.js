// One call: why it was answered so, what was sent and what came back, and what to do with it.

import { download, get, put, text } from "./api.js";
import { bodyOf } from "./body.js";
import { badge, button, copyButton, h, select, visible } from "./dom.js";
import { answersOf } from "./contracts.js";
import { address, go } from "./state.js";

const CHOSEN = {
  default: "No rule applied: an ordinary success.", rule: "A rule of the contract chose it.", pin: "A pin of a test chose it.",
  prefer: "The request's Prefer header chose it.", magic: "The recipient is a magic number, which chose it.",
  known: "The vendor documents this method; it is not mocked.",
};
const GRADES = { recorded: "best", page: "best", vendor: "good", sibling: "fair", assumed: "weak" };

export async function showCall(holder, id) {
  if (!id) {
    holder.replaceChildren(h("p", { class: "empty muted" }, "Choose a call to see why it was answered so."));
    return;
  }
  if (holder.dataset.call !== id) holder.replaceChildren(h("p", { class: "empty muted" }, "Loading…"));
  holder.dataset.call = id;
  const back = button("← Calls", () => go({ call: "" }), { class: "quiet back" });
  try {
    const [call, why] = await Promise.all([get(`calls/${encodeURIComponent(id)}`), get(`calls/${encodeURIComponent(id)}/why`)]);
    if (holder.dataset.call !== id) return;
    holder.replaceChildren(back, ...parts(call, why));
    holder.scrollTop = 0;
  } catch (error) {
    if (holder.dataset.call === id) holder.replaceChildren(back, h("p", { class: "empty" }, error.message));
  }
}

function parts(call, why) {
  const { request, response } = call;
  return [
    h("div", { class: "title" },
      badge(response.status || "–", call.accepted ? "good" : "bad"),
      h("h2", {}, call.answer ?? call.operation ?? "No operation has this path"),
      response.fault && badge(response.fault, "fault")),
    h("p", { class: "muted facts" }, `${call.received_at.replace("T", " ").slice(0, 23)} · ${call.duration_ms} ms · ${call.outcome} · account `,
      call.account ? h("a", { href: address({ account: call.account }) }, call.account) : "unclaimed", ` · ${call.id}`),
    tools(call),
    call.message && message(call.message),
    h("h3", {}, "Why this answer"), reasons(call, why),
    h("div", { class: "exchange" },
      h("section", { "aria-label": "Request" }, h("h3", {}, "Request"), requestLine(call), headers(request.headers), bodyOf(request, "request")),
      h("section", { "aria-label": "Response" }, h("h3", {}, "Response"),
        h("p", { class: "line" }, response.status ? `HTTP ${response.status}` : "No response", response.fault ? ` · fault: ${response.fault}` : ""),
        headers(response.headers), bodyOf(response, "response"))),
  ].filter(Boolean);
}

function requestLine(call) {
  const { method, path, query } = call.request;
  return h("p", { class: "line" }, `${method} `, visible(call.url ?? path), query && h("span", { class: "muted" }, `?${visible(query)}`));
}

function headers(pairs) {
  return h("dl", { class: "pairs" }, pairs.map(([name, value]) => [h("dt", {}, visible(name)), h("dd", {}, h("bdi", {}, visible(value)))]));
}

function message({ from, to, text: words }) {
  return h("blockquote", { class: "message" }, h("p", { class: "muted" }, `${from ?? "?"} → ${to ?? "?"}`),
    h("p", {}, h("bdi", {}, words === null ? "(nobody can know its text)" : visible(words))));
}

function tools(call) {
  const path = `calls/${call.id}`;
  const isIncoming = call.direction === "in";
  return h("div", { class: "tools" },
    isIncoming && copyButton("Copy as curl", async () => (await text(`${path}?format=curl`)).trim()),
    isIncoming && call.operation && copyButton("Copy as assertion", async () => (await text(`${path}?format=pytest`)).trim()),
    copyButton("Copy link", location.href.split("#")[0] + address({ call: call.id })),
    button("HAR", () => download(`${path}?format=har`, `${call.id}.har`), { class: "quiet", "aria-label": "Save as HAR" }),
    call.account && isIncoming && call.operation && nextAnswer(call));
}

function nextAnswer(call) {
  const holder = h("span", { class: "next" });
  answersOf(call.operation).then((answers) => {
    const choices = [["", "Answer the next one with…"], ...answers.map((answer) => [answer.name, `${answer.name} (${answer.status})`])];
    const said = h("span", { role: "status", class: "muted" });
    holder.replaceChildren(select("Answer the next such call with", choices, "", async (answer) => {
      if (!answer) return;
      try {
        await put(`pins/${call.operation}`, { account: call.account, answers: [answer] });
        said.textContent = `Pinned: the next ${call.operation} gets ${answer}.`;
      } catch (error) {
        said.textContent = error.message;
      }
    }), said);
  }, () => {});
  return holder;
}

function reasons(call, why) {
  const chosen = call.direction === "out" ? `A callback, attempt ${call.attempt}.` : CHOSEN[call.chosen_by] ?? "No operation has this path.";
  return h("div", { class: "why" },
    h("p", {}, chosen, call.rule && [" ", h("code", {}, call.rule)], call.pin && [" Pin ", h("code", {}, call.pin), "."]),
    call.problems.length > 0 && h("ul", { class: "problems" }, call.problems.map(problem)),
    why.rule && excerpt(why.rule),
    call.notes.map((note) => h("p", { class: "note" }, visible(note))),
    call.evidence_parts && evidence(call),
    why.pins.length > 0 && h("div", {}, h("h4", {}, "Pins that did not apply, nearest first"), why.pins.map(pin)));
}

function problem({ kind, at, reason, message: sentence }) {
  return h("li", {}, badge([kind, reason].filter(Boolean).join(" "), "bad"), " ", h("code", {}, visible(at)), " ", h("bdi", {}, visible(sentence)));
}

function excerpt({ file, line, first, lines }) {
  return h("details", {}, h("summary", {}, `${file}, line ${line}`), h("pre", { class: "excerpt", tabindex: "0", "aria-label": `${file} around line ${line}` },
    lines.map((words, at) => h("span", { class: first + at === line ? "here" : null }, `${String(first + at).padStart(4)}  ${words}\n`))));
}

function evidence(call) {
  const known = Object.entries(call.evidence_parts).filter(([, grade]) => grade !== null);
  return h("table", { class: "evidence" }, h("caption", {}, "How far each part is known"),
    h("tbody", {}, known.map(([part, grade]) => h("tr", {}, h("th", { scope: "row" }, part),
      h("td", {}, gradeBadge(grade)), h("td", {}, call.evidence_reasons[part] ?? "")))));
}

export function gradeBadge(grade) {
  return badge(grade, GRADES[grade] ?? "quiet");
}

function pin({ id, operation, answers, fault, reason, differences }) {
  const what = fault ? `fault ${fault.kind}` : answers.map((answer) => (typeof answer === "string" ? answer : `${answer.status}`)).join(", ");
  return h("div", { class: "pin-miss" }, h("p", {}, h("code", {}, id), ` ${operation} → ${what}: ${reason}.`),
    differences.length > 0 && h("ul", {}, differences.map(({ pointer, expected, found }) => h("li", {}, h("code", {}, visible(pointer)),
      " expected ", h("code", {}, visible(JSON.stringify(expected))), ", got ", h("code", {}, found === null ? "nothing" : visible(JSON.stringify(found)))))));
}
