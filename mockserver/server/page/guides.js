// The view of guides: Markdown from the package, drawn as elements. Links between guides stay on this page.

import { get, text } from "./api.js";
import { h } from "./dom.js";
import { address, state } from "./state.js";

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|<(https?:[^>\s]+)>|\[((?:[^\]`]|`[^`]*`)+)\]\(([^)\s]+)\)/;
const FILES = {
  "testing/README.md": "testing", "server/README.md": "server", "cli/README.md": "clients", "contracts/README.md": "vocabulary",
};

export function guidesView() {
  const menu = h("nav", { class: "guide-list", "aria-label": "Guides" });
  const article = h("article", { class: "guide" });
  const view = h("div", { class: "guides" }, menu, article);

  async function load() {
    if (state().view !== "guides") return;
    try {
      const { guides } = await get("guides");
      const chosen = state().guide || guides[0]?.name;
      menu.replaceChildren(...guides.map(({ name, title }) =>
        h("a", { href: address({ guide: name }), "aria-current": name === chosen ? "page" : null }, title)));
      article.replaceChildren(...draw(await text(`guides/${encodeURIComponent(chosen)}`)));
      article.scrollTop = 0;
    } catch (error) {
      article.replaceChildren(h("p", { class: "empty" }, error.message));
    }
  }
  return { element: view, update: (now, before) => { if (!before || before.view !== "guides" || now.guide !== before.guide) load(); } };
}

// Elements for the blocks of a Markdown text.
export function draw(markdown) {
  const lines = markdown.replace(/<!--[\s\S]*?-->\n?/g, "").split("\n");
  const found = [];
  while (lines.length) {
    const block = [fence, heading, table, list, paragraph].map((read) => read(lines)).find(Boolean);
    if (block) found.push(block);
    else lines.shift();
  }
  return found;
}

function fence(lines) {
  const open = /^( *)```/.exec(lines[0]);
  if (!open) return null;
  lines.shift();
  const code = [];
  while (lines.length && !/^ *```/.test(lines[0])) code.push(lines.shift().slice(open[1].length));
  lines.shift();
  return h("pre", { tabindex: "0" }, code.join("\n"));
}

function heading(lines) {
  const found = /^(#{1,5}) +(.*)$/.exec(lines[0]);
  if (!found) return null;
  lines.shift();
  const anchor = found[2].toLowerCase().replace(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-");
  return h(`h${found[1].length + 1}`, { id: `guide-${anchor}` }, inline(found[2]));
}

function table(lines) {
  if (!/^ *\|/.test(lines[0]) || !/^ *\|[\s:|-]+\|? *$/.test(lines[1] ?? "")) return null;
  const head = cells(lines.shift());
  lines.shift();
  const rows = [];
  while (/^ *\|/.test(lines[0] ?? "")) rows.push(cells(lines.shift()));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Table: ${head.filter(Boolean).join(", ") || "values"}` },
    h("table", {}, h("thead", {}, h("tr", {}, head.map((cell) => h(cell ? "th" : "td", cell ? { scope: "col" } : {}, inline(cell))))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) => h("td", {}, inline(cell))))))));
}

const cells = (line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));

function list(lines) {
  const first = /^( *)([-*]|\d+\.) +/.exec(lines[0]);
  if (!first) return null;
  const items = [];
  while (lines.length) {
    const next = /^( *)([-*]|\d+\.) +(.*)$/.exec(lines[0]);
    if (next && next[1].length === first[1].length) items.push([next[3]]);
    else if (lines[0].trim() && items.length && /^ /.test(lines[0])) items.at(-1).push(lines[0]);
    else if (!lines[0].trim() && /^ +\S/.test(lines[1] ?? "")) items.at(-1).push("");
    else break;
    lines.shift();
  }
  return h(/\d/.test(first[2]) ? "ol" : "ul", {}, items.map((item) => h("li", {}, entry(item))));
}

// What stands in a list's item: its sentence, and the blocks below it.
function entry(lines) {
  const at = lines.findIndex((line, index) => index > 0 && /^ *(```|[-*] |\d+\. |\|)/.test(line));
  if (at < 0) return inline(lines.join(" "));
  return [inline(lines.slice(0, at).join(" ")), draw(lines.slice(at).map((line) => line.replace(/^ {1,4}/, "")).join("\n"))];
}

function paragraph(lines) {
  const said = [];
  while (lines.length && lines[0].trim() && !/^( *```|#{1,5} | *\|| *([-*]|\d+\.) )/.test(lines[0])) said.push(lines.shift());
  if (!said.length && lines[0]?.trim()) said.push(lines.shift());
  return said.length ? h("p", {}, inline(said.join(" "))) : null;
}

// Text with code, stress and links.
export function inline(words) {
  const parts = [];
  let rest = words;
  for (let found = INLINE.exec(rest); found; found = INLINE.exec(rest)) {
    const [whole, code, strong, stress, plain, label, target] = found;
    parts.push(rest.slice(0, found.index));
    if (code) parts.push(h("code", {}, code));
    else if (strong) parts.push(h("strong", {}, inline(strong)));
    else if (stress) parts.push(h("em", {}, inline(stress)));
    else if (plain) parts.push(link(plain, plain));
    else parts.push(link(target, inline(label)));
    rest = rest.slice(found.index + whole.length);
  }
  return [...parts, rest];
}

function link(target, label) {
  if (/^https?:/.test(target)) return h("a", { href: target, rel: "noreferrer", target: "_blank" }, label);
  if (target.startsWith("#")) return h("a", { href: address(), onclick: (event) => { event.preventDefault(); document.getElementById(`guide-${target.slice(1)}`)?.scrollIntoView(); } }, label);
  const file = target.split("#")[0];
  const known = Object.entries(FILES).find(([path]) => file.endsWith(path))?.[1] ?? /(?:^|\/)(\w+)\.(?:md|yaml)$/.exec(file)?.[1];
  return known && known !== "README" ? h("a", { href: address({ view: "guides", guide: known }) }, label) : h("span", {}, label);
}
