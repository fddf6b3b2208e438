// A list of any length: only the rows in sight are in the document.

const MARGIN = 6; // rows beyond what is in sight

export class VirtualList {
  #items = [];
  #drawn = "";
  #isAsked = false;

  // draw(item) gives a row's children and class: {children, kind}; open(item) is called for the chosen one.
  constructor(box, { draw, open, key }) {
    Object.assign(this, { box, draw, open, key, chosen: "" });
    this.space = document.createElement("div");
    this.space.className = "space";
    this.space.setAttribute("role", "presentation");
    box.append(this.space);
    box.addEventListener("scroll", () => this.#ask(), { passive: true });
    box.addEventListener("click", (event) => this.#click(event));
    box.addEventListener("keydown", (event) => this.#press(event));
    new ResizeObserver(() => { this.#drawn = ""; this.#ask(); }).observe(box);
  }

  get height() { // of a row, in pixels; CSS has it
    return parseFloat(getComputedStyle(this.box).getPropertyValue("--row")) || 30;
  }

  // Shows other items. Where ``added`` of them came on top, a reader who has scrolled down keeps what is in sight.
  show(items, added = 0) {
    this.#items = items;
    this.#drawn = "";
    this.space.style.height = `${items.length * this.height}px`;
    if (added && this.box.scrollTop > 0) this.box.scrollTop += added * this.height;
    this.#ask();
  }

  choose(key) {
    this.chosen = key;
    this.#drawn = "";
    this.#ask();
  }

  #ask() { // at most one drawing a frame, however many events come
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => { this.#isAsked = false; this.#draw(); });
  }

  #draw() {
    const height = this.height;
    const [from, to] = inSight(this.box.scrollTop, this.box.clientHeight, height, this.#items.length);
    const drawn = `${from} ${to}`;
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const rows = [];
    for (let at = from; at < to; at += 1) rows.push(this.#row(at, height));
    this.space.replaceChildren(...rows); // their order in the document is that in sight
    const active = this.#items.findIndex((item) => this.key(item) === this.chosen);
    if (active >= from && active < to) this.box.setAttribute("aria-activedescendant", `row-${active}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  #row(at, height) {
    const item = this.#items[at];
    const { children, kind } = this.draw(item);
    const row = document.createElement("div");
    const isChosen = this.key(item) === this.chosen;
    row.id = `row-${at}`;
    row.className = `row ${kind}`;
    row.dataset.id = this.key(item);
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(isChosen));
    row.setAttribute("aria-posinset", String(at + 1));
    row.setAttribute("aria-setsize", String(this.#items.length));
    row.style.top = `${at * height}px`;
    row.append(...children);
    return row;
  }

  #click(event) { // by its place: the row under the pointer may be drawn anew between press and release
    const at = Math.floor((event.clientY - this.space.getBoundingClientRect().top) / this.height);
    if (at >= 0 && at < this.#items.length) this.open(this.#items[at]);
  }

  #press(event) {
    const page = Math.max(1, Math.floor(this.box.clientHeight / this.height) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (!(event.key in steps) || !this.#items.length) return;
    event.preventDefault();
    const now = this.#items.findIndex((item) => this.key(item) === this.chosen);
    const at = Math.min(this.#items.length - 1, Math.max(0, (now < 0 && event.key === "ArrowDown" ? -1 : now) + steps[event.key]));
    this.reveal(at);
    this.open(this.#items[at]);
  }

  // Scrolls as little as is needed to have a row in sight.
  reveal(at) {
    const [top, height] = [at * this.height, this.height];
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (top + height > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = top + height - this.box.clientHeight;
  }
}

// The first row in sight and the one behind the last, with some beyond.
export function inSight(top, seen, height, count, more = MARGIN) {
  return [Math.max(0, Math.floor(top / height) - more), Math.min(count, Math.ceil((top + seen) / height) + more)];
}
