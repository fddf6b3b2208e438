// The page: its header, its views, and which of them is shown.

import { get, hooks } from "./api.js";
import { book } from "./book.js";
import { callsView } from "./calls.js";
import { forget } from "./contracts.js";
import { button, h, select, settled, warn } from "./dom.js";
import { guidesView } from "./guides.js";
import { phonesView } from "./phones.js";
import { address, go, state, VIEWS, watch } from "./state.js";
import { start, watch as watchStream } from "./stream.js";
import { switchesView, switchMark } from "./switches.js";
import { vendorsView } from "./vendors.js";

const MOST_LISTED = 200; // accounts in the choice, the newest
const main = document.getElementById("main");
const stream = document.getElementById("stream");
let accounts = [];
let isWarned = false; // that they could not be loaded

const views = { calls: callsView(), phones: phonesView(), vendors: vendorsView(), switches: switchesView(loadAccounts), guides: guidesView() };

function tabs() {
  document.getElementById("tabs").replaceChildren(...VIEWS.map((name) => h("a", {
    href: address({ view: name, call: name === "calls" ? state().call : "", phone: name === "phones" ? state().phone : "" }),
    "aria-current": state().view === name ? "page" : null,
  }, name[0].toUpperCase() + name.slice(1))));
}

async function loadAccounts() {
  try {
    ({ accounts } = await get("accounts?format=summary"));
    if (isWarned) warn("");
    isWarned = false;
  } catch (error) {
    warn(error.message);
    isWarned = true;
  }
  chosen();
}

function chosen() {
  const holder = document.getElementById("chosen");
  const now = state().account;
  const listed = accounts.slice(-MOST_LISTED).map((account) => account.id).reverse();
  const known = ["default", "second"].filter((id) => accounts.some((account) => account.id === id));
  const ids = [...new Set([...known, ...listed, ...(["*", "unclaimed"].includes(now) ? [] : [now])])];
  const options = [["*", "All accounts"], ...ids.map((id) => [id, id]), ["unclaimed", "unclaimed calls"]];
  if (holder.contains(document.activeElement) && document.activeElement.tagName === "SELECT") return;
  holder.replaceChildren(...[switchMark(accounts, now),
    select("Account", options, now, (account) => go({ account, call: "", phone: "" }))].filter(Boolean));
}

function show(now, before) {
  const { element, update } = views[now.view];
  if (main.firstChild !== element) {
    main.replaceChildren(element);
  }
  document.title = `${now.view[0].toUpperCase()}${now.view.slice(1)} · mockserver`;
  tabs();
  chosen();
  book.choose(now.account);
  update(now, before);
}

hooks.askForToken = (isWrong) => new Promise((resolve) => {
  const field = h("input", { type: "password", id: "token", autocomplete: "off", required: true });
  const dialog = h("dialog", { "aria-labelledby": "token-title" }, h("form", { method: "dialog", onsubmit: (event) => {
    event.preventDefault();
    dialog.close();
    dialog.remove();
    resolve(field.value.trim());
  } }, h("h2", { id: "token-title" }, "This server asks for its token"),
  h("p", {}, isWrong ? "That was not the right one. " : "", "It is MOCKSERVER_ADMIN_TOKEN where the server runs. It stays in this tab."),
  h("label", { for: "token" }, "Token"), field, button("Open", () => {}, { type: "submit", class: "primary" })));
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  document.body.append(dialog);
  dialog.showModal();
});

const KEPT = {
  memory: ["in memory", "Calls are kept in memory: they are gone when the server ends."],
  file: ["in a file", "Calls are kept in a file (--store): they are there again after a restart."],
  remote: ["in a shared store", "Calls are kept by a server of its own (--store): they are there again after a restart."],
};

async function tellStore() {
  try {
    const { store: kind } = await get("health");
    const [words, sentence] = KEPT[kind];
    Object.assign(document.getElementById("store"), { textContent: words, title: sentence });
  } catch { /* the server is away again */ }
}

const SAID = { connecting: "connecting", live: "live", reconnecting: "reconnecting…" };
const accountsSoon = settled(400, loadAccounts);

watchStream(({ kind, data }) => {
  if (kind === "status") {
    stream.textContent = SAID[data];
    stream.className = data;
    if (data === "reconnecting") forget();
    if (data === "live") { // maybe of another server than before
      accountsSoon();
      tellStore();
    }
  }
  if (kind === "changed" || kind === "reset" || kind === "calls") accountsSoon();
});

document.addEventListener("keydown", (event) => {
  const isTyping = ["INPUT", "TEXTAREA", "SELECT"].includes(event.target.tagName);
  if (event.key === "/" && !isTyping) {
    event.preventDefault();
    go({ view: "calls" });
    views.calls.focusSearch();
  } else if (event.key === "Escape" && !isTyping && state().call) {
    go({ call: "" });
  }
});

watch(show);
start();
book.start(state().account);
loadAccounts();
show(state(), null);
