// Elements, made of data. Text is text: nothing here, or anywhere on the page, takes markup.

// h("p", {class: "muted", onclick: f}, "text", otherElement, null)
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value") element.value = value;
    else if (key === "style") Object.assign(element.style, value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function button(label, onclick, properties = {}) {
  return h("button", { type: "button", onclick, ...properties }, label);
}

// A button that copies a text, or what a function gives, and says so.
export function copyButton(label, text, properties = {}) {
  const copy = button(label, async () => {
    let said = "Copied";
    try {
      await toClipboard(typeof text === "function" ? await text() : text);
    } catch (error) {
      said = error.message || "Not copied";
    }
    copy.textContent = said;
    setTimeout(() => { copy.textContent = label; }, 1500);
  }, { class: "quiet", ...properties });
  return copy;
}

async function toClipboard(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = h("textarea", { class: "offscreen", value: text }); // beyond loopback without TLS there is no clipboard
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("Not copied");
}

// A choice: options are [value, label] pairs.
export function select(label, options, value, onchange, properties = {}) {
  const element = h("select", { "aria-label": label, onchange: () => onchange(element.value), ...properties },
    options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)));
  element.value = value;
  return element;
}

export function badge(text, kind, title) {
  return h("span", { class: `badge ${kind}`, title }, text);
}

// The same text, what a screen does not show or what turns its direction written out.
export function visible(text) {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, (c) => String.fromCharCode(c === "\u007f" ? 0x2421 : 0x2400 + c.charCodeAt(0)))
    .replace(/[\u061c\u200b-\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff]/g,
      (c) => `\u27e8U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`);
}

export const time = (iso) => iso.slice(11, 23);

export const number = (value) => value.toLocaleString("en-US");

export const plural = (count, word) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;

// Says above every view what went wrong; "" takes it back.
export function warn(sentence) {
  const notice = document.getElementById("notice");
  notice.textContent = sentence;
  notice.hidden = !sentence;
}

// Runs a function once things have been quiet for so many milliseconds.
export function settled(milliseconds, work) {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(work, milliseconds); };
}

// Puts the focus back where it was before a part of the page is drawn anew.
export function redraw(holder, ...children) {
  const key = holder.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const top = holder.scrollTop;
  holder.replaceChildren(...children);
  holder.scrollTop = top;
  if (key) holder.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}
