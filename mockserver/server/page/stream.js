// Events of the server: one stream for all tabs of a browser, which allows six connections to a host.
//
// The tab that holds a lock reads the stream and passes events on; when it closes, another goes on behind the last one.
// Where a page may not use locks (http beyond this machine), a tab reads a stream of its own while it is in sight.

import { headers, newToken, hooks } from "./api.js";

const QUIET = 25000; // milliseconds without a byte, after which the server or the way to it is gone
const PAUSE = 1000; // milliseconds before the next try
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("mockserver") : null;
const watchers = new Set();
let last = ""; // the id of the last event
let status = "connecting";

// Calls a function with each event: {kind, data}. A "status" event says connecting, live or reconnecting.
export function watch(work) {
  watchers.add(work);
  work({ kind: "status", data: status });
}

export function start() {
  channel?.addEventListener("message", ({ data }) => (data.kind === "hello" ? greet() : take(data)));
  if (navigator.locks && channel) {
    navigator.locks.request("mockserver-events", lead);
    channel.postMessage({ kind: "hello" });
  } else {
    readWhileInSight();
  }
}

let isLeading = false;

function greet() { // a new tab hears how things are
  if (isLeading) channel.postMessage({ kind: "status", data: status, id: last });
}

function take(event) {
  if (event.id) last = event.id;
  if (event.kind === "status") status = event.data;
  for (const work of watchers) work(event);
}

function pass(event) {
  take(event);
  if (isLeading) channel.postMessage(event);
}

async function lead() {
  isLeading = true;
  for (;;) await connect(new AbortController());
}

async function readWhileInSight() {
  for (;;) {
    if (document.hidden) await new Promise((seen) => document.addEventListener("visibilitychange", seen, { once: true }));
    const controller = new AbortController();
    const leave = () => document.hidden && controller.abort();
    document.addEventListener("visibilitychange", leave);
    await connect(controller);
    document.removeEventListener("visibilitychange", leave);
  }
}

async function connect(controller) {
  try {
    const given = headers(last ? { "Last-Event-ID": last } : {});
    const response = await fetch("events", { headers: given, signal: controller.signal, cache: "no-store" });
    if (response.status === 401 && hooks.askForToken) return await newToken();
    if (!response.ok) throw new Error(`${response.status}`);
    pass({ kind: "status", data: "live" });
    await read(response.body.getReader(), controller);
  } catch { /* the server is away, or this tab out of sight */ }
  if (document.hidden && controller.signal.aborted) return undefined;
  pass({ kind: "status", data: "reconnecting" });
  return new Promise((done) => setTimeout(done, PAUSE));
}

async function read(reader, controller) {
  const decoder = new TextDecoder();
  let rest = "";
  let guard = 0;
  try {
    for (;;) {
      guard = setTimeout(() => controller.abort(), QUIET);
      const { done, value } = await reader.read();
      clearTimeout(guard);
      if (done) return;
      const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const event = parse(block);
        if (event) pass(event);
      }
    }
  } finally {
    clearTimeout(guard);
  }
}

// One block of server-sent events; null where it is no event.
export function parse(block) {
  const fields = {};
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    if (at > 0) fields[line.slice(0, at)] = line.slice(at + 1).replace(/^ /, "");
  }
  return fields.event ? { kind: fields.event, id: fields.id, data: JSON.parse(fields.data) } : null;
}
