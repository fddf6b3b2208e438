// Which calls are shown: by vendor, operation, answer, outcome and text.

export const OUTCOMES = {
  accepted: ["accepted", (call) => call.accepted && call.direction === "in"],
  refused: ["refused", (call) => !call.accepted && call.direction === "in" && call.operation !== null],
  unclaimed: ["unclaimed", (call) => call.account === null],
  unknown: ["unknown path", (call) => call.operation === null],
  pinned: ["pinned", (call) => call.chosen_by === "pin"],
  fault: ["with a fault", (call) => call.fault !== null],
  callback: ["callbacks", (call) => call.direction === "out"],
};

const WORDS = ["id", "account", "operation", "answer", "method", "path", "recipient", "text", "body", "problem", "status"];

// A test for calls in short. ``deep`` are ids of calls in which the server found the text.
export function filterOf(state, deep = new Set()) {
  const tests = [];
  for (const name of ["vendor", "operation", "answer"]) {
    if (state[name]) tests.push((call) => call[name] === state[name]);
  }
  if (state.outcome in OUTCOMES) tests.push(OUTCOMES[state.outcome][1]);
  const wanted = state.text.trim().toLowerCase();
  if (wanted) tests.push((call) => deep.has(call.id) || WORDS.some((word) => says(call[word], wanted)));
  return (call) => tests.every((test) => test(call));
}

const says = (value, wanted) => value !== null && value !== undefined && String(value).toLowerCase().includes(wanted);

// The values that a part has in these calls, sorted.
export function valuesOf(calls, part, vendor = "") {
  const found = new Set();
  for (const call of calls) if (call[part] && (!vendor || call.vendor === vendor)) found.add(call[part]);
  return [...found].sort();
}
