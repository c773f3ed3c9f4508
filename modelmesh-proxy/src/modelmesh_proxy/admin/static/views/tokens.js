import { get, post, remove } from "../api.js";
import { card, confirmed, empty, field, h, notice, replace, state, table, toast } from "../dom.js";
import { date, number, usd } from "../format.js";

export function tokens({ place, heading, follow, failed }) {
  const note = h("p");
  heading.append(note);
  const fresh = h("div", { "aria-live": "polite" });
  const trouble = h("div");
  const list = h("div");
  const form = creation();
  const fold = h("details", { class: "card fold" }, h("summary", null, "Create a token"), form);
  let drawn = false;
  const refresh = follow("admin/tokens", 3, (data) => {
    note.textContent = data.tokens.length ? `${number(data.tokens.length)} token${data.tokens.length === 1 ? "" : "s"}` : "";
    if (!drawn) {
      replace(place, fresh, trouble, fold, list);
      drawn = true;
    }
    replace(list, data.tokens.length ? card("Tokens", { note: "stored as hashes" }, table("Tokens", COLUMNS, data.tokens.map(row)))
      : h("div", { class: "card" }, empty("No tokens", "Applications need one as soon as the first exists.")));
  });

  async function act(work) {
    replace(trouble);
    try {
      return await work();
    } catch (error) {
      const shown = failed(error);
      if (shown) replace(trouble, shown);
      return null;
    } finally {
      refresh();
    }
  }

  function reveal(title, text) {
    const copy = h("button", { type: "button", onclick: async () => {
      try {
        await navigator.clipboard.writeText(text);
        toast("Copied.");
      } catch {
        getSelection().selectAllChildren(code);
        toast("Selected. Press Ctrl+C to copy.");
      }
    } }, "Copy");
    const code = h("code", { tabindex: "0", "aria-label": "Token" }, text);
    replace(fresh, h("div", { class: "notice good stack" },
      h("strong", null, title), h("p", null, "It is shown this once. Store it now: only its hash is kept."),
      h("div", { class: "token" }, code, copy, h("button", { type: "button", onclick: () => replace(fresh) }, "Done"))));
    copy.focus();
  }

  function creation() {
    const text = (name, options) => h("input", { name, autocomplete: "off", ...options });
    const count = (name, options) => text(name, { type: "number", min: 0, inputmode: "decimal", step: "any", placeholder: "no limit", ...options });
    const name = text("name", { required: true, maxlength: 100, spellcheck: "false" });
    const inputs = {
      pools: text("pools", { placeholder: "all" }), team: text("team", { placeholder: "none" }),
      budget_daily: count("budget_daily"), budget_monthly: count("budget_monthly"), budget_total: count("budget_total"),
      rpm: count("rpm", { step: 1 }), tpm: count("tpm", { step: 1 }), expires: text("expires", { placeholder: "never" }),
    };
    const admin = h("input", { type: "checkbox", name: "admin" });
    return h("form", { class: "body", onsubmit: submit },
      h("div", { class: "fields" },
        field("Name", name, "Of the application"), field("Team", inputs.team), field("Pools", inputs.pools, "Separated by commas"),
        field("Expires", inputs.expires, "For example 30d or 12h"),
        field("Budget per day, USD", inputs.budget_daily), field("Budget per month, USD", inputs.budget_monthly), field("Budget in all, USD", inputs.budget_total),
        field("Requests per minute", inputs.rpm), field("Tokens per minute", inputs.tpm)),
      h("div", { class: "actions" }, h("button", { class: "primary" }, "Create token"), h("label", { class: "check" }, admin, "May administer the proxy")));

    async function submit(event) {
      event.preventDefault();
      const settings = { name: name.value.trim(), admin: admin.checked };
      for (const [key, input] of Object.entries(inputs)) {
        if (!input.value.trim()) continue;
        if (input.type === "number") settings[key] = Number(input.value);
        else settings[key] = key === "pools" ? input.value.split(",").map((one) => one.trim()).filter(Boolean) : input.value.trim();
      }
      const made = await act(() => post("admin/tokens", settings));
      if (!made) return;
      event.target.reset();
      fold.open = false;
      reveal(`Token of ${settings.name}`, made.token);
    }
  }

  function row(data) {
    const path = `admin/tokens/${encodeURIComponent(data.name)}`;
    const rotate = async () => {
      if (!await confirmed(`Rotate the token of ${data.name}?`, "The application must get the new token. The present one is refused from then on.", "Rotate")) return;
      const made = await act(() => post(`${path}/rotate`));
      if (made) reveal(`New token of ${data.name}`, made.token);
    };
    const revoke = async () => {
      if (!await confirmed(`Revoke the token of ${data.name}?`, "Every request with it is refused within a second. This cannot be undone.", "Revoke")) return;
      if (await act(() => remove(path))) toast(`The token of ${data.name} is revoked.`);
    };
    const buttons = !data.revoked && data.stored !== false && h("div", { class: "actions" },
      h("button", { type: "button", class: "small", "data-key": `rotate-${data.name}`, "aria-label": `Rotate ${data.name}`, onclick: rotate }, "Rotate"),
      h("button", { type: "button", class: "small danger", "data-key": `revoke-${data.name}`, "aria-label": `Revoke ${data.name}`, onclick: revoke }, "Revoke"));
    return { cells: [
      [data.name, data.admin && [" ", h("span", { class: "tag accent" }, "admin")]], status(data), data.team, data.pools?.length ? data.pools.join(", ") : "all",
      limitsOf(data), data.expires_at ? date(data.expires_at) : "never", buttons || "",
    ] };
  }
}

const COLUMNS = ["Name", "State", "Team", "Pools", "Limits", "Expires", ["Action", { right: true, bare: true }]];

function status(data) {
  if (data.revoked) return state("bad", "revoked");
  if (data.expires_at && data.expires_at * 1000 < Date.now()) return state("warn", "expired");
  return state("good", "valid");
}

function limitsOf(data) {
  const texts = [
    data.budget_daily !== null && data.budget_daily !== undefined && `${usd(data.budget_daily)} a day`,
    data.budget_monthly !== null && data.budget_monthly !== undefined && `${usd(data.budget_monthly)} a month`,
    data.budget_total !== null && data.budget_total !== undefined && `${usd(data.budget_total)} in all`,
    data.rpm && `${number(data.rpm)} requests a minute`, data.tpm && `${number(data.tpm)} tokens a minute`,
  ].filter(Boolean);
  return texts.length ? texts.map((text) => h("div", { class: "small" }, text)) : h("span", { class: "muted" }, "none");
}
