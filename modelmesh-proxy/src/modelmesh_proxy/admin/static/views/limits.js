import { card, empty, h, replace, table } from "../dom.js";
import { amount, compact, NOTHING, number, until, usd } from "../format.js";

export function limits({ place, heading, follow }) {
  const note = h("p", null, "Days and months are UTC");
  heading.append(note);
  follow("admin/limits", 3, (data) => {
    replace(place, h("dl", { class: "facts" },
      fact("Spent today", data.today), fact("Spent this month", data.this_month), fact("Spent in all", data.total)),
    rows(data.limits),
    h("div", { class: "columns" }, spend("By provider", "Provider", data.by_provider), spend("By model", "Model", data.by_model)));
  });
}

function fact(title, entry) {
  const unpriced = entry.requests_without_price ? `, ${number(entry.requests_without_price)} without a price` : "";
  return h("div", null, h("dt", null, title), h("dd", null, usd(entry.cost_usd), h("small", null, `${compact(entry.requests)} requests${unpriced}`)));
}

function rows(found) {
  const sorted = [...found].sort((a, b) => share(b) - share(a));
  const columns = ["Limit of", "What", ["Used", { right: true }], ["Left", { right: true }], ["Limit", { right: true }], "Use", "Resets"];
  return card("Quotas and budgets", { note: "configured, and as vendors report them" }, sorted.length ? table("Quotas and budgets", columns, sorted.map((row) => ({
    cells: [
      [owner(row.of), row.source && h("div", { class: "muted small" }, `from ${row.source}`)],
      `${row.metric} per ${row.window}`,
      amount(row.metric, row.used), amount(row.metric, row.left), amount(row.metric, row.limit), use(row),
      row.resets_at === null ? "no time known" : until(row.resets_at),
    ],
  }))) : empty("No limits", "Set budgets and limits of pools, providers, models or tokens in the configuration."));
}

function owner(key) {
  const [kind, ...name] = key.split(":");
  return name.length ? [h("span", { class: "muted" }, `${kind} `), name.join(":")] : key;
}

function share(row) {
  return row.limit > 0 ? row.used / row.limit : 1;
}

function use(row) {
  const part = Math.min(1, share(row)), percent = Math.floor(part * 100);
  return h("div", { class: `use${part >= 1 ? " full" : part >= 0.8 ? " high" : ""}` },
    h("progress", { max: 100, value: percent, "aria-label": `Use of ${row.metric} per ${row.window} of ${row.of}` }),
    h("span", { class: "small muted" }, part >= 1 ? "exhausted" : `${percent} %`));
}

function spend(title, first, entries) {
  const columns = [first, ["Requests", { right: true }], ["Tokens", { right: true }], ["Cost", { right: true }]];
  const sorted = [...entries].sort((a, b) => b.cost_usd - a.cost_usd || b.requests - a.requests);
  return card(title, null, sorted.length ? table(title, columns, sorted.map((entry) => ({
    cells: [entry.name, compact(entry.requests), compact(entry.prompt_tokens + entry.completion_tokens), entry.cost_usd || !entry.requests_without_price ? usd(entry.cost_usd) : NOTHING],
  }))) : empty("Nothing is spent yet"));
}
