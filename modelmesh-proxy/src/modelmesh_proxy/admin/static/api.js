// Requests to the proxy. The token stays in memory and in this tab's session storage, never in an address.

const KEY = "modelmesh-token";
let token = read();

function read() {
  try { return sessionStorage.getItem(KEY); } catch { return null; }
}

export class ApiError extends Error {
  constructor(status, message, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function hasToken() {
  return token !== null;
}

export function setToken(value) {
  token = value;
  try {
    if (value === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, value);
  } catch { /* the token lives as long as the page */ }
}

export async function send(method, path, body, options) {
  const headers = { accept: "application/json" };
  if (token !== null) headers.authorization = `Bearer ${token}`;
  if (method !== "GET") headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store", credentials: "omit", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The proxy cannot be reached. Check that it runs.");
  }
  if (!response.ok) throw await failure(response);
  return response;
}

export async function get(path) {
  return (await send("GET", path)).json();
}

export async function post(path, body) {
  return (await send("POST", path, body ?? {})).json();
}

export async function remove(path) {
  return (await send("DELETE", path)).json();
}

async function failure(response) {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text);
    const error_ = typeof error === "string" ? { message: error } : error;
    return new ApiError(response.status, error_.message, error_.code);
  } catch {
    return new ApiError(response.status, text.slice(0, 300) || `The proxy answered with status ${response.status}.`);
  }
}

// Yields the server-sent events of a response as { event, data }. A comment has the event "comment".
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop();
      for (const block of blocks) {
        const lines = block.split(/\r?\n/);
        for (const line of lines) if (line.startsWith(":")) yield { event: "comment", data: line.slice(1).trim() };
        const event = lines.find((line) => line.startsWith("event:"))?.slice(6).trim() ?? "message";
        const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).replace(/^ /, "")).join("\n");
        if (data) yield { event, data };
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
