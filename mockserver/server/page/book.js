// The recorded calls that this tab knows, newest first: loaded once, then kept up by events.

import { get, query } from "./api.js";
import { settled } from "./dom.js";
import { watch as watchStream } from "./stream.js";

export const MOST = 10000; // calls that are kept; the server keeps as many of an account
export const PAGE = 1000; // calls of one request

class Book {
  calls = [];
  evicted = 0;
  isLoading = false;
  problem = ""; // why the calls could not be loaded
  #byId = new Map();
  #account = "*";
  #run = 0; // of loading; an older one gives up
  #watchers = new Set();
  #again = settled(1000, () => this.load());

  start(account) {
    this.#account = account;
    watchStream((event) => this.#take(event));
    this.load();
  }

  watch(work) {
    this.#watchers.add(work);
  }

  get(id) {
    return this.#byId.get(id);
  }

  choose(account) { // whose calls are meant: an id, "unclaimed", or "*"
    if (account === this.#account) return;
    this.#account = account;
    this.load();
  }

  async load() {
    this.#run += 1;
    const run = this.#run;
    const known = { calls: [], byId: new Map() };
    this.isLoading = true;
    this.problem = "";
    let cursor = null;
    try {
      do {
        const asked = { format: "summary", limit: PAGE, account: this.#account, cursor };
        const page = await get(`calls?${query(asked)}`);
        if (run !== this.#run) return;
        if (cursor === null) [this.calls, this.#byId] = [known.calls, known.byId];
        this.evicted = page.evicted;
        for (const call of page.calls) if (!this.#byId.has(call.id)) this.#put(call, "push");
        this.calls.sort(newestFirst); // an event may have come before the page that has the same call
        cursor = page.next;
        this.#tell({ loaded: true });
      } while (cursor !== null && this.calls.length < MOST);
    } catch (error) {
      if (run !== this.#run) return;
      if (error.status === 404) [this.calls, this.#byId] = [known.calls, known.byId]; // there is no such account
      this.problem = error.message;
    }
    if (run === this.#run) {
      this.isLoading = false;
      this.#tell({ loaded: true });
    }
  }

  #put(call, how) {
    this.#byId.set(call.id, call);
    this.calls[how](call);
  }

  #take({ kind, data }) {
    if (kind === "calls") this.#merge(data);
    else if (kind === "reset") this.load();
    else if (kind === "changed" && data.what.some((what) => what === "calls" || what === "accounts")) this.#again();
  }

  #merge({ calls, skipped, evicted }) {
    const added = [];
    for (const call of calls) {
      if (!this.#isMeant(call)) continue;
      const known = this.#byId.get(call.id);
      if (known) Object.assign(known, call);
      else { this.#put(call, "unshift"); added.push(call); }
    }
    if (this.#account === "*") this.evicted = evicted;
    for (const gone of this.calls.splice(MOST)) this.#byId.delete(gone.id);
    if (skipped) this.#again(); // once it is quiet, what was left out is loaded
    this.#tell({ added });
  }

  #isMeant(call) {
    if (this.#account === "*") return true;
    return this.#account === "unclaimed" ? call.account === null : call.account === this.#account;
  }

  #tell(change) {
    for (const work of this.#watchers) work(change);
  }
}

export const newestFirst = (one, other) =>
  (one.received_at === other.received_at ? compare(other.id, one.id) : compare(other.received_at, one.received_at));

const compare = (one, other) => (one < other ? -1 : Number(one > other));

export const book = new Book();
