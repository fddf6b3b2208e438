// The control API: relative addresses, the token where one is needed, problems as errors.

const TOKEN = "mockserver-token"; // in this tab's session storage, and nowhere else
let asking = null; // the promise of a token that somebody was asked for

export class ApiError extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export function headers(more = {}) {
  const token = sessionStorage.getItem(TOKEN);
  return token ? { ...more, Authorization: `Bearer ${token}` } : more;
}

// askForToken(isWrong) resolves to a token; it is set by the page.
export const hooks = { askForToken: null };

export async function ask(path, options = {}) {
  const { body, ...rest } = options;
  for (;;) {
    const sent = { ...rest, headers: headers(body === undefined ? {} : { "Content-Type": "application/json" }) };
    if (body !== undefined) sent.body = JSON.stringify(body);
    const response = await fetch(path, sent);
    if (response.status !== 401 || !hooks.askForToken) return checked(response);
    await newToken();
  }
}

export async function newToken() {
  const isWrong = sessionStorage.getItem(TOKEN) !== null;
  asking ??= hooks.askForToken(isWrong).then((token) => {
    sessionStorage.setItem(TOKEN, token);
    asking = null;
  });
  await asking;
}

async function checked(response) {
  if (response.ok) return response;
  let detail = `the server answered ${response.status}`;
  try {
    detail = (await response.json()).detail ?? detail;
  } catch { /* it is no problem document */ }
  throw new ApiError(response.status, detail);
}

export const get = async (path) => (await ask(path)).json();
export const text = async (path) => (await ask(path)).text();
export const post = async (path, body = {}) => (await ask(path, { method: "POST", body })).json();
export const put = async (path, body) => (await ask(path, { method: "PUT", body })).json();
export const remove = (path) => ask(path, { method: "DELETE" });

export const query = (values) => new URLSearchParams(
  Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== "")).toString();

// Saves an answer as a file; a link could not send the token.
export async function download(path, name) {
  save(await (await ask(path)).blob(), name);
}

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
