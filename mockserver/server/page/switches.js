// The view of switches: pins, faults, limits and the clock of an account; and the mark in the header that some are on.

import { get, post, put, query, remove } from "./api.js";
import { contracts, operationsOf } from "./contracts.js";
import { badge, button, h, number, plural, redraw, select, settled } from "./dom.js";
import { book } from "./book.js";
import { address, state } from "./state.js";
import { watch as watchStream } from "./stream.js";
import { customer } from "./vendors.js";

const FAULTS = ["reset", "close", "silence", "truncate", "garbage", "dribble", "delay"];

export function switchesView(tell) {
  const view = h("div", { class: "switches" });
  const said = h("p", { role: "status", class: "muted" });
  let draft = { operation: "", answer: "" };

  async function load() {
    if (state().view !== "switches") return;
    const id = customer();
    try {
      const [account, { pins }, found] = await Promise.all([get(`accounts/${encodeURIComponent(id)}`), get(`pins?${query({ account: id })}`), contracts()]);
      redraw(view, ...parts(account, pins, found));
    } catch (error) {
      view.replaceChildren(h("p", { class: "empty" }, error.message));
    }
  }

  async function act(work, done = "") {
    try {
      await work();
      said.textContent = done;
    } catch (error) {
      said.textContent = error.message;
    }
    await Promise.all([load(), tell()]);
  }

  function parts(account, pins, found) {
    const path = `accounts/${encodeURIComponent(account.id)}`;
    const isOn = pins.length > 0 || account.limits.length > 0 || account.clock.frozen || Math.abs(account.clock.offset) > 0.5;
    return [
      h("div", { class: "title" }, h("h2", {}, `Account ${account.id}`),
        badge(isOn ? "something is switched on" : "nothing is switched on", isOn ? "pin" : "quiet"),
        button("Clear all switches", () => act(() => remove(`${path}/switches`), "Cleared. Its calls stay."), { class: "primary", disabled: !isOn, "data-key": "clear" })),
      said,
      h("section", { "aria-label": "Pins and faults" }, h("h3", {}, "Pins and faults"),
        pins.length ? h("ul", { class: "cards" }, pins.map((pin) => pinCard(pin, account))) : h("p", { class: "muted" }, "Every call is answered as the contract's rules say."),
        adder(account, found)),
      h("section", { "aria-label": "Rate limits" }, h("h3", {}, "Rate limits"), limits(account, path, found)),
      h("section", { "aria-label": "Clock" }, h("h3", {}, "Clock"), clock(account, path)),
    ];
  }

  function pinCard(pin, account) {
    const what = pin.fault ? `fault ${pin.fault.kind}` : pin.answers.map((answer) => (typeof answer === "string" ? answer : `${answer.status}`)).join(", then ");
    const left = pin.left === null ? "for ever" : `${plural(pin.left, "use")} left`;
    const only = Object.keys(pin.where).length || Object.keys(pin.when).length;
    return h("li", {}, badge(pin.fault ? "fault" : "pin", pin.fault ? "fault" : "pin"), h("code", {}, pin.operation), ` → ${what} `,
      h("span", { class: "muted" }, `${left}, used ${number(pin.used)}×${only ? `, only where ${JSON.stringify({ ...pin.where, ...pin.when })}` : ""}`),
      button("Remove", () => act(() => remove(`pins?${query({ account: account.id, id: pin.id })}`)), { class: "quiet", "aria-label": `Remove pin ${pin.id}` }));
  }

  function adder(account, found) {
    const operations = found.flatMap(operationsOf);
    const operation = operations.find((one) => one.id === draft.operation) ?? operations[0];
    if (!operation) return null;
    const answers = operation.answers.map((answer) => [answer.id.split("/")[1], `${answer.id.split("/")[1]} (${answer.status})`]);
    const faults = FAULTS.map((kind) => [`fault ${kind}`, `fault: ${kind}`]);
    const answer = select("Answer or fault", [...answers, ...faults], draft.answer || answers[0][0], (value) => { draft.answer = value; }, { "data-key": "answer" });
    return h("div", { class: "tools" }, "Answer the next",
      select("Operation", operations.map((one) => [one.id, one.id]), operation.id, (id) => { draft = { operation: id, answer: "" }; load(); }, { "data-key": "operation" }),
      "with", answer,
      button("Pin", () => act(() => put(`pins/${operation.id}`, { account: account.id, ...body(answer.value) }), "Pinned for the next call."), { "data-key": "pin" }));
  }

  function body(chosen) {
    if (!chosen.startsWith("fault ")) return { answers: [chosen] };
    const kind = chosen.slice("fault ".length);
    return { fault: kind === "delay" ? { kind, seconds: 2 } : { kind } };
  }

  function limits(account, path, found) {
    const limited = found.flatMap(operationsOf).filter((operation) => operation.rate_limit);
    if (!limited.length) return h("p", { class: "muted" }, "No contract here states a rate limit.");
    return h("ul", { class: "cards" }, limited.map((operation) => {
      const on = account.limits.find((limit) => limit.operation === operation.id);
      const { requests, seconds } = on ?? operation.rate_limit;
      const box = h("input", { type: "checkbox", "data-key": operation.id, onchange: () => act(() => put(`${path}/limits`, { [operation.id]: box.checked })) });
      box.checked = Boolean(on);
      return h("li", {}, h("label", { class: "switch" }, box, h("code", {}, operation.id), ` ${plural(requests, "request")} in ${seconds} s`),
        on && h("span", { class: "muted" }, `${number(on.remaining)} left`));
    }));
  }

  function clock(account, path) {
    const { now, offset, frozen } = account.clock;
    const ahead = Math.abs(offset) < 0.5 ? "real time" : `${number(Math.round(offset))} s ${offset > 0 ? "ahead of" : "behind"} real time`;
    const advance = (seconds, label) => button(label, () => act(() => post(`${path}/clock`, { advance: seconds })), { "data-key": label });
    return h("div", {}, h("p", {}, h("code", {}, now), ` ${ahead} `, frozen && badge("frozen", "pin")),
      h("div", { class: "tools" }, advance(60, "+1 minute"), advance(3600, "+1 hour"), advance(86400, "+1 day"),
        button(frozen ? "Let it run" : "Freeze", () => act(() => post(`${path}/clock`, { freeze: !frozen })), { "data-key": "freeze" })));
  }

  const soon = settled(300, load);
  book.watch(({ added }) => { if (added?.length) soon(); });
  watchStream(({ kind }) => { if (kind === "changed" || kind === "reset") soon(); });
  return { element: view, update: (now, before) => { if (!before || before.view !== "switches" || now.account !== before.account) load(); } };
}

// What is on for an account, or for all together, as words; "" where nothing is.
export function summaryOf(accounts, chosen) {
  const meant = accounts.filter((account) => chosen === "*" || account.id === chosen);
  const pins = meant.reduce((sum, account) => sum + account.pins, 0);
  const limited = meant.reduce((sum, account) => sum + account.limits, 0);
  const clocks = meant.filter((account) => account.clock !== null);
  return [pins && plural(pins, "pin"), limited && plural(limited, "limit"),
    clocks.length === 1 && (clocks[0].clock.frozen ? "clock frozen" : "clock moved"), clocks.length > 1 && `${clocks.length} clocks set`].filter(Boolean).join(" · ");
}

export function switchMark(accounts, chosen) {
  const words = summaryOf(accounts, chosen);
  if (!words) return null;
  const on = accounts.filter((account) => account.pins || account.limits || account.clock);
  const account = chosen === "*" && on.length === 1 ? on[0].id : chosen;
  return h("a", { href: address({ view: "switches", account }), class: "mark", title: "What is switched on" }, words);
}
