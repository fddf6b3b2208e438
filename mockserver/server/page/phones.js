// The view of phones: a row for each subscriber, and the conversation of the chosen one over all vendors.

import { get, post, query } from "./api.js";
import { book } from "./book.js";
import { badge, button, copyButton, h, number, plural, redraw, select, settled, visible } from "./dom.js";
import { contracts } from "./contracts.js";
import { address, go, state } from "./state.js";
import { watch as watchStream } from "./stream.js";

const MOST_MESSAGES = 1000; // of an account
const MOST_ACCOUNTS = 12; // whose phones are shown where all are meant: those that called last
const OPEN_STATES = ["accepted", "sent"]; // that may still become another, as time goes by
const STEP = 2000; // milliseconds between two looks at such messages

export function phonesView() {
  let phones = [];
  let problem = ""; // why the messages could not be loaded
  let missing = ""; // what of them is not shown
  const list = h("nav", { class: "phone-list", "aria-label": "Phones" });
  const talk = h("section", { class: "talk", "aria-label": "Conversation" });
  const view = h("div", { class: "phones" }, list, talk);
  const reply = replyBox(() => load());

  async function load() {
    if (state().view !== "phones") return;
    const accounts = state().account === "*" ? recentAccounts() : [state().account];
    problem = "";
    const asked = accounts.filter((account) => account !== "unclaimed").map((account) =>
      get(`messages?${query({ account, limit: MOST_MESSAGES })}`).catch((error) => {
        if (state().account !== "*") problem = error.message;
        return { messages: [], evicted: 0 };
      }));
    const pages = await Promise.all(asked);
    const messages = pages.flatMap((page) => page.messages);
    missing = missingOf(accounts, pages);
    phones = group(messages);
    draw();
    if (messages.some((message) => OPEN_STATES.includes(message.state))) later();
  }

  const soon = settled(250, load);
  const later = settled(STEP, load);

  function draw() {
    const now = state();
    const chosen = phones.find((phone) => phone.key === now.phone) ?? null;
    view.classList.toggle("with-phone", chosen !== null);
    redraw(list, ...(phones.length ? phones.map((phone) => phoneRow(phone, phone === chosen)) : [nobody(problem)]),
      missing ? h("p", { class: "muted missing" }, missing) : "");
    if (!chosen) {
      talk.replaceChildren(h("p", { class: "empty muted" }, phones.length ? "Choose a phone to read its messages." : ""));
      return;
    }
    const isAtEnd = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 40 || talk.dataset.phone !== chosen.key;
    const old = talk.scrollTop;
    reply.choose(chosen);
    const bubbles = h("div", { class: "bubbles", tabindex: "0", role: "log", "aria-label": `Messages of ${chosen.number}` }, chosen.messages.map(bubble));
    if (talk.dataset.phone === chosen.key && talk.querySelector(".bubbles")) talk.querySelector(".bubbles").replaceWith(bubbles);
    else {
      talk.replaceChildren(h("div", { class: "title" }, button("← Phones", () => go({ phone: "" }), { class: "quiet back" }),
        h("h2", {}, chosen.number), h("span", { class: "muted" }, `account ${chosen.account}`)), bubbles, reply.element);
      talk.dataset.phone = chosen.key;
    }
    bubbles.scrollTop = isAtEnd ? bubbles.scrollHeight : old;
  }

  book.watch(() => soon());
  watchStream(({ kind, data }) => { if (kind === "reset" || (kind === "changed" && data.what.length)) soon(); });
  return { element: view, update: (now, before) => { if (!before || now.account !== before.account || before.view !== "phones") load(); else draw(); } };
}

function recentAccounts() {
  const found = new Set(["default"]);
  for (const call of book.calls) {
    if (call.account) found.add(call.account);
    if (found.size >= MOST_ACCOUNTS) break;
  }
  return [...found];
}

// What is left out of the list, as a sentence; "" where it is whole.
function missingOf(accounts, pages) {
  const evicted = pages.reduce((sum, page) => sum + page.evicted, 0);
  return [
    accounts.length >= MOST_ACCOUNTS && state().account === "*" && `Only the ${MOST_ACCOUNTS} accounts that called last.`,
    pages.some((page) => page.messages.length >= MOST_MESSAGES) && `Only the newest ${number(MOST_MESSAGES)} messages of an account.`,
    evicted && `${plural(evicted, "call")} evicted, with what they sent.`,
  ].filter(Boolean).join(" ");
}

// Phones, the one with the newest message first; each has its messages, the oldest first.
export function group(messages) {
  const phones = new Map();
  for (const message of messages) {
    const number = (message.direction === "outbound" ? message.to : message.from) ?? "nobody knows";
    const key = `${message.account} ${number}`;
    if (!phones.has(key)) phones.set(key, { key, number, account: message.account, messages: [] });
    phones.get(key).messages.push(message);
  }
  for (const phone of phones.values()) phone.messages.sort((one, other) => (one.at < other.at ? -1 : Number(one.at > other.at)));
  return [...phones.values()].sort((one, other) => (one.messages.at(-1).at < other.messages.at(-1).at ? 1 : -1));
}

function phoneRow(phone, isChosen) {
  const last = phone.messages.at(-1);
  const said = last.text === null ? "(nobody can know its text)" : visible(last.text);
  return h("a", { href: address({ phone: phone.key }), class: "phone", "data-key": phone.key, "aria-current": isChosen ? "true" : null },
    h("strong", {}, phone.number), h("time", { datetime: last.at }, last.at.slice(11, 19)),
    h("bdi", { class: "text" }, `${last.direction === "inbound" ? "↩ " : ""}${said}`),
    h("span", { class: "muted" }, [...new Set(phone.messages.map((message) => message.vendor))].join(", "),
      ` · ${plural(phone.messages.length, "message")}`, state().account === "*" ? ` · ${phone.account}` : ""));
}

function nobody(problem) {
  if (problem) return h("div", { class: "empty" }, h("p", {}, problem));
  return h("div", { class: "empty" }, h("p", {}, "No messages yet."),
    h("p", { class: "muted" }, "Each phone that a vendor is asked to text appears here, with its conversation."));
}

function bubble(message) {
  const { direction, text, segments, encoding, vendor, codes } = message;
  return h("article", { class: `bubble ${direction}` },
    h("p", { class: "words" }, h("bdi", {}, text === null ? h("em", {}, "Nobody can know its text.") : withCodes(text, codes))),
    codes.length > 0 && h("p", { class: "tools" }, codes.slice(0, 3).map(({ code }) => copyButton(`Copy ${code}`, code))),
    h("p", { class: "muted" }, h("time", { datetime: message.at }, message.at.slice(11, 19)), ` · ${vendor} · `,
      badge(message.state, { delivered: "good", failed: "bad", received: "good" }[message.state] ?? "quiet"),
      segments && ` · ${plural(segments, "segment")} ${encoding}`,
      message.calls.map((id, at) => [" · ", h("a", { href: address({ view: "calls", call: id, phone: "" }) }, at ? `callback ${at}` : direction === "outbound" ? "call" : "callback")])));
}

// A text with its one-time codes marked.
export function withCodes(text, codes) {
  const parts = [];
  let done = 0;
  for (const { code, at } of [...codes].sort((one, other) => one.at - other.at)) {
    const from = at >= done ? text.indexOf(code, Math.max(done, at - 1)) : -1;
    if (from < 0) continue;
    parts.push(visible(text.slice(done, from)), h("mark", {}, visible(code)));
    done = from + code.length;
  }
  return [...parts, visible(text.slice(done))];
}

function replyBox(sent) {
  const words = h("textarea", { id: "reply", rows: "2", "aria-label": "Reply as the subscriber", placeholder: "Reply as the subscriber…",
    onkeydown: (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send(); } });
  const to = h("span");
  const said = h("p", { role: "status", class: "muted" });
  const sender = button("Send reply", () => send(), { class: "primary" });
  const element = h("div", { class: "reply" }, words, h("div", { class: "tools" }, to, sender, said));
  let phone = null;
  let vendor = "";

  async function choose(chosen) {
    const isSame = phone?.key === chosen.key;
    phone = chosen;
    if (isSame) return;
    words.value = "";
    said.textContent = "";
    const takers = (await contracts()).filter((contract) => contract.takes_messages).map((contract) => contract.vendor);
    const last = [...chosen.messages].reverse().find((message) => takers.includes(message.vendor));
    vendor = last?.vendor ?? takers[0] ?? "";
    words.disabled = sender.disabled = !vendor;
    if (!vendor) said.textContent = "No vendor here takes messages from subscribers.";
    to.replaceChildren(...(vendor ? [select("Reply through", takers.map((name) => [name, `through ${name}`]), vendor, (name) => { vendor = name; })] : []));
  }

  async function send() {
    if (!words.value) return;
    const last = [...phone.messages].reverse().find((message) => message.vendor === vendor);
    const number = last && (last.direction === "outbound" ? last.from : last.to);
    const message = { account: phone.account, vendor, from: phone.number, text: words.value };
    try {
      await post("inbound", number ? { ...message, to: number } : message);
      words.value = "";
      said.textContent = "Sent.";
      sent();
    } catch (error) {
      said.textContent = error.message;
    }
  }
  return { element, choose };
}
