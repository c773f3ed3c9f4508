// The frame of the page: sign-in, navigation and the view that the address names.

import { ApiError, get, hasToken, setToken } from "./api.js";
import { field, h, loading, notice, replace } from "./dom.js";
import { configuration } from "./views/configuration.js";
import { limits } from "./views/limits.js";
import { live } from "./views/live.js";
import { overview } from "./views/overview.js";
import { playground } from "./views/playground.js";
import { pools } from "./views/pools.js";
import { tokens } from "./views/tokens.js";

const VIEWS = [
  ["overview", "Overview", overview],
  ["pools", "Pools", pools],
  ["live", "Live", live],
  ["limits", "Limits", limits],
  ["tokens", "Tokens", tokens],
  ["playground", "Playground", playground],
  ["configuration", "Configuration", configuration],
];
const main = document.getElementById("main");
const nav = document.getElementById("nav");
const session = document.getElementById("session");
let leave = null;
let shown = null;

// What a view gets: a place to draw, a signal that ends with the view, and a way to refresh while the page is visible.
function context(place, signal) {
  function failed(error) {
    if (error.name === "AbortError" || signal.aborted) return null;
    if (error instanceof ApiError && (error.status === 401 || error.code === "permission_denied")) {
      signIn(hasToken() ? error.message : "");
      return null;
    }
    return notice("bad", error.message);
  }

  // Calls draw(data) for every change of the data at a path.
  function follow(path, seconds, draw) {
    let last, timer;
    async function look() {
      clearTimeout(timer);
      if (signal.aborted) return;
      try {
        const data = await get(path);
        const text = JSON.stringify(data);
        if (!signal.aborted && text !== last) {
          last = text;
          draw(data);
        }
      } catch (error) {
        last = undefined;
        const trouble = failed(error);
        if (trouble) replace(place, trouble);
      }
      if (!signal.aborted && !document.hidden) timer = setTimeout(look, seconds * 1000);
    }
    document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); }, { signal });
    signal.addEventListener("abort", () => clearTimeout(timer));
    look();
    return look;
  }

  return { place, signal, failed, follow };
}

function show() {
  const name = location.hash.replace(/^#\/?/, "").split("?")[0] || "overview";
  const [key, title, view] = VIEWS.find(([one]) => one === name) ?? VIEWS[0];
  leave?.abort();
  leave = new AbortController();
  drawNav(key);
  drawSession();
  document.title = `${title} – ModelMesh`;
  const place = h("div", { class: "view" });
  const heading = h("div", { class: "head" }, h("h1", null, title));
  const content = h("div", { class: "view" }, loading());
  place.append(heading, content);
  replace(main, place);
  if (shown !== null && shown !== key) main.focus({ preventScroll: true });
  if (shown !== key) scrollTo(0, 0);
  shown = key;
  view({ ...context(content, leave.signal), heading });
}

function drawNav(current) {
  replace(nav, h("ul", null, VIEWS.map(([key, title]) =>
    h("li", null, h("a", { href: `#/${key}`, "data-key": `nav-${key}`, "aria-current": key === current ? "page" : null }, title)))));
  const link = nav.querySelector("[aria-current]");
  const list = nav.firstElementChild;
  if (link) list.scrollLeft = link.offsetLeft - (list.clientWidth - link.offsetWidth) / 2;
}

function drawSession() {
  replace(session, hasToken() && h("button", { type: "button", class: "small", onclick: () => { setToken(null); signIn(""); } }, "Sign out"));
}

function signIn(problem) {
  leave?.abort();
  shown = null;
  document.title = "Sign in – ModelMesh";
  replace(nav);
  replace(session);
  const input = h("input", { type: "password", name: "token", autocomplete: "current-password", required: true, spellcheck: "false", autocapitalize: "off" });
  const trouble = h("div", { "aria-live": "assertive" }, problem && notice("bad", problem));
  const button = h("button", { class: "primary" }, "Sign in");
  const submit = async (event) => {
    event.preventDefault();
    setToken(input.value.trim());
    button.setAttribute("aria-disabled", "true");
    try {
      await get("admin/status");
      show();
      main.focus({ preventScroll: true });
    } catch (error) {
      setToken(null);
      const texts = { 401: "The proxy does not accept this token.", 403: "This token is valid, but it is not an administrator's." };
      replace(trouble, notice("bad", texts[error.status] ?? error.message));
      button.removeAttribute("aria-disabled");
      input.select();
    }
  };
  replace(main, h("div", { class: "sign-in" }, h("form", { class: "card", onsubmit: submit },
    h("h1", null, "Sign in"),
    h("p", { class: "muted" }, "The administration of this proxy needs an administrator's token: the one of modelmesh serve --token, or one of modelmesh tokens create NAME --admin. It stays in this tab."),
    trouble, field("Token", input), button)));
  input.focus();
}

addEventListener("hashchange", show);
document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
// The proxy answers a browser without a token with this page and the status 401.
if (performance.getEntriesByType("navigation")[0]?.responseStatus === 401 && !hasToken()) signIn("");
else show();
