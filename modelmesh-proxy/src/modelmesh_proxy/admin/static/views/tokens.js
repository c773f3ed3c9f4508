import { get, post, remove } from "../api.js";
import { card, confirmed, empty, field, h, notice, replace, state, table, toast } from "../dom.js";
import { amount, date, number } from "../format.js";

export function tokens({ place, heading, follow, failed }) {
  const note = h("p");
  heading.append(note);
  const fresh = h("div", { "aria-live": "polite" });
  const trouble = h("div");
  const list = h("div");
  const form = creation();
  const fold = h("details", { class: "card fold" }, h("summary", null, "Create a token"), form);
  const refresh = follow("admin/tokens", 3, (data) => {
    note.textContent = `${data.has_flag_token ? "The token of --token and " : ""}${number(data.tokens.length)} named token${data.tokens.length === 1 ? "" : "s"}`;
    if (!list.isConnected) {
      replace(place, fresh, trouble, data.has_store ? fold : noStore(), list);
    }
    replace(list, data.tokens.length ? card("Tokens", { note: "stored as hashes" }, table("Tokens", COLUMNS, data.tokens.map(row)))
      : h("div", { class: "card" }, empty("No named tokens", "Applications need a token as soon as the first one exists.")),
    data.teams.length > 0 && card("Teams", { note: "limits over all tokens of a team" }, table("Teams", ["Team", "Limits and use"], data.teams.map((team) => ({ cells: [team.name, limitsOf(team)] })))));
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
    const metrics = h("input", { type: "checkbox", name: "metrics" });
    return h("form", { class: "body", onsubmit: submit },
      h("div", { class: "fields" },
        field("Name", name, "Of the application"), field("Team", inputs.team), field("Pools", inputs.pools, "Separated by commas"),
        field("Expires", inputs.expires, "For example 30d or 12h"),
        field("Budget per day, USD", inputs.budget_daily), field("Budget per month, USD", inputs.budget_monthly), field("Budget in all, USD", inputs.budget_total),
        field("Requests per minute", inputs.rpm), field("Tokens per minute", inputs.tpm)),
      h("div", { class: "actions" }, h("button", { class: "primary" }, "Create token"), h("label", { class: "check" }, admin, "May administer the proxy"), h("label", { class: "check" }, metrics, "Reads metrics and nothing else")));

    async function submit(event) {
      event.preventDefault();
      const settings = { name: name.value.trim(), ...(admin.checked && { admin: true }), ...(metrics.checked && { metrics: true }) };
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
    const buttons = data.status !== "revoked" && !data.is_static && h("div", { class: "actions" },
      h("button", { type: "button", class: "small", "data-key": `rotate-${data.name}`, "aria-label": `Rotate ${data.name}`, onclick: rotate }, "Rotate"),
      h("button", { type: "button", class: "small danger", "data-key": `revoke-${data.name}`, "aria-label": `Revoke ${data.name}`, onclick: revoke }, "Revoke"));
    return { cells: [
      [data.name, data.admin && [" ", h("span", { class: "tag accent" }, "admin")], data.metrics && [" ", h("span", { class: "tag" }, "metrics only")], data.is_static && h("div", { class: "muted small" }, "of the configuration")],
      state(...STATES[data.status]), data.team, data.pools ? data.pools.join(", ") : "all",
      limitsOf(data), data.expires_at ? date(data.expires_at) : "never", buttons || "",
    ] };
  }
}

const COLUMNS = ["Name", "State", "Team", "Pools", "Limits and use", "Expires", ["Action", { right: true, bare: true }]];

const STATES = { active: ["good", "valid"], expired: ["warn", "expired"], revoked: ["bad", "revoked"] };

function noStore() {
  return notice("warn", "Tokens cannot be created here: the configuration has no storage that outlives the proxy. Add the section ", h("code", null, "storage"), ", or list tokens under ", h("code", null, "proxy.auth.tokens"), ".");
}

// The limits with what is used of them, from the counters where they are known.
function limitsOf({ limits, amounts }) {
  const texts = amounts.length
    ? amounts.map((row) => `${amount(row.metric, row.used)} of ${amount(row.metric, row.limit)}${row.metric === "USD" ? "" : ` ${row.metric}`} per ${row.window}`)
    : Object.entries(NAMES).filter(([name]) => limits[name] !== null).map(([name, [metric, per]]) => `${amount(metric, limits[name])}${metric === "USD" ? "" : ` ${metric}`} ${per}`);
  return texts.length ? texts.map((text) => h("div", { class: "small" }, text)) : h("span", { class: "muted" }, "none");
}

const NAMES = { budget_daily: ["USD", "a day"], budget_monthly: ["USD", "a month"], budget_total: ["USD", "in all"], rpm: ["requests", "a minute"], tpm: ["tokens", "a minute"] };
