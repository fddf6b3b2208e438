// The bodies of a request and a response: as they are meant, or as they were sent. Always as text.

import { button, copyButton, h, number, visible } from "./dom.js";

const MOST_LINES = 4000; // that are shown of one body

export function bytesOf(part) {
  return Uint8Array.from(atob(part.body_base64 ?? ""), (character) => character.charCodeAt(0));
}

// {text, isText}: the body as UTF-8; isText is false where it is none.
function decoded(part) {
  const raw = bytesOf(part);
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(raw), isText: true };
  } catch {
    return { text: hex(raw), isText: false };
  }
}

function hex(raw) {
  const lines = [];
  for (let at = 0; at < raw.length; at += 16) {
    const row = [...raw.slice(at, at + 16)];
    const shown = row.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ").padEnd(48)} ${shown}`);
  }
  return lines.join("\n");
}

function pretty(part, text) {
  if (part.form) return part.form.map(([name, value]) => `${name} = ${value}`).join("\n");
  if (part.json !== null && part.json !== undefined) {
    try {
      return JSON.stringify(JSON.parse(text), null, 2); // the order and the numbers of what was sent
    } catch {
      return JSON.stringify(part.json, null, 2);
    }
  }
  return null;
}

export function bodyOf(part, name) {
  if (!part.body_bytes) return h("p", { class: "muted" }, "No body.");
  const { text, isText } = decoded(part);
  const meant = isText ? pretty(part, text) : null;
  const box = h("pre", { class: "body", tabindex: "0", "aria-label": `Body of the ${name}` });
  const choices = [];
  const show = (which, chosen) => {
    box.textContent = cut(visible(which));
    for (const choice of choices) choice.setAttribute("aria-pressed", String(choice === chosen));
  };
  if (meant !== null) choices.push(button("Pretty", () => show(meant, choices[0]), { class: "quiet" }));
  choices.push(button(isText ? "Raw" : "Bytes", () => show(text, choices.at(-1)), { class: "quiet" }));
  show(meant ?? text, choices[0]);
  const size = `${number(part.body_bytes)} bytes`;
  const isCut = bytesOf(part).length < part.body_bytes;
  return h("div", {}, h("div", { class: "tools" }, choices, copyButton("Copy", isText ? text : hex(bytesOf(part))),
    h("span", { class: "muted" }, isCut ? `${size}, cut here` : size)), box);
}

function cut(text) {
  const lines = text.split("\n");
  return lines.length <= MOST_LINES ? text : [...lines.slice(0, MOST_LINES), `… ${number(lines.length - MOST_LINES)} more lines`].join("\n");
}
