// What the page shows, in the address behind "#": it can be linked, and the browser's own buttons work.

export const VIEWS = ["phones", "calls", "vendors", "switches", "guides"];
const DEFAULTS = {
  view: "calls", account: "*", call: "", text: "", vendor: "", operation: "", answer: "", outcome: "", follow: "1",
  phone: "", guide: "",
};
const watchers = new Set();
let now = read();

function read() {
  const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const state = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS)) if (name in given) state[name] = given[name];
  if (!("view" in given) && given.phone) state.view = "phones";
  if (!VIEWS.includes(state.view)) state.view = DEFAULTS.view;
  return state;
}

export const state = () => now;

// The address of this state with some changes.
export function address(changes = {}) {
  const wanted = { ...now, ...changes };
  const told = Object.entries(wanted).filter(([name, value]) => value !== DEFAULTS[name]);
  return `#${new URLSearchParams(told)}`;
}

// Changes the state; in place of the last one where the user only types or moves on.
export function go(changes, { replace = false } = {}) {
  const wanted = address(changes);
  if (wanted === address()) return;
  history[replace ? "replaceState" : "pushState"](null, "", wanted === "#" ? location.pathname : wanted);
  announce();
}

// Calls a function with the state, and the one before, at each change.
export function watch(work) {
  watchers.add(work);
}

function announce() {
  const before = now;
  now = read();
  for (const work of watchers) work(now, before);
}

addEventListener("popstate", announce);
addEventListener("hashchange", announce);
