import { empty, h, notice, replace, state, table } from "../dom.js";
import { compact, duration, number, usd } from "../format.js";

export function overview({ place, heading, follow }) {
  const note = h("p");
  heading.append(note);
  follow("admin/status", 2, (data) => {
    note.textContent = `Version ${data.version}, running for ${duration(data.uptime_seconds)}`;
    replace(place, problems(data), facts(data), pools(data), h("div", { class: "columns" }, usage(data), process(data)));
  });
}

function problems(data) {
  const failures = Object.entries(data.sink_failures);
  return [
    data.draining && notice("warn", "The proxy is draining: it finishes running requests and accepts no new ones."),
    data.pools_down.length > 0 && notice("bad", `No model is active in: ${data.pools_down.join(", ")}. `, h("a", { href: "#/pools" }, "See the reasons"), "."),
    failures.length > 0 && notice("warn", `Records were not delivered: ${failures.map(([name, count]) => `${name} (${number(count)})`).join(", ")}.`),
  ];
}

function facts(data) {
  const active = data.models - data.models_standby;
  return h("dl", { class: "facts" },
    fact("Running now", number(data.requests_running), `${compact(data.requests_served)} since the start`),
    fact("Active models", `${number(Math.max(0, active))} of ${number(data.models)}`, `${number(data.pools)} pool${data.pools === 1 ? "" : "s"}`),
    fact("Active providers", `${number(data.providers_active.length)} of ${number(data.providers.length)}`, data.models_standby ? `${number(data.models_standby)} in standby` : "none in standby"),
    fact("Spent today", usd(data.today.cost_usd), data.today.requests_without_price ? `without ${number(data.today.requests_without_price)} unpriced` : "UTC day"),
    fact("Spent this month", usd(data.this_month.cost_usd), `${compact(data.this_month.requests)} requests`));
}

function fact(title, value, note) {
  return h("div", null, h("dt", null, title), h("dd", null, value, h("small", null, note)));
}

function pools(data) {
  const rows = data.pool_states.map((pool) => ({ cells: [
    pool.name,
    !pool.active ? state("bad", "no active model") : pool.active < pool.total ? state("warn", "degraded") : state("good", "healthy"),
    `${number(pool.active)} of ${number(pool.total)}`,
    pool.next ? h("span", { class: "mono" }, pool.next) : null,
    pool.strategy,
  ] }));
  return h("section", { class: "card", "aria-labelledby": "pools" }, h("header", null, h("h2", { id: "pools" }, "Pools"), h("div", { class: "end" }, h("a", { href: "#/pools" }, "Models and reasons"))),
    rows.length ? table("Pools", ["Pool", "State", "Active models", "Next", "Strategy"], rows) : empty("No pools", "Add a provider or a pool to the configuration."));
}

function usage(data) {
  const row = (title, entry) => ({ cells: [title, compact(entry.requests), compact(entry.prompt_tokens), compact(entry.completion_tokens), usd(entry.cost_usd)] });
  return h("section", { class: "card", "aria-labelledby": "usage" }, h("header", null, h("h2", { id: "usage" }, "Usage")),
    table("Usage", ["Period", ["Requests", { right: true }], ["Prompt", { right: true }], ["Answer", { right: true }], ["Cost", { right: true }]],
      [row("Today", data.today), row("This month", data.this_month), row("All", data.total)]));
}

function process(data) {
  const missing = data.providers.filter((name) => !data.providers_active.includes(name));
  const line = (title, ...value) => [h("dt", null, title), h("dd", null, value)];
  return h("section", { class: "card", "aria-labelledby": "process" }, h("header", null, h("h2", { id: "process" }, "Process")),
    h("div", { class: "body" }, h("dl", { class: "list" },
      line("State", readiness(data)),
      line("Providers", data.providers.join(", ") || "none", missing.length ? h("div", { class: "muted small" }, `without an active model: ${missing.join(", ")}`) : null),
      line("Storage", data.storage ?? "none: counts end with the process"),
      line("Counts", data.counts === "shared" ? "shared with every process" : "of this process", data.storage && data.counts_reason ? h("div", { class: "muted small" }, data.counts_reason) : null),
      line("Workers", data.processes.length === 1 ? `1, process ${data.pid}` : `${number(data.processes.length)}, processes ${data.processes.join(", ")}`))));
}

function readiness(data) {
  const { status, reasons = [] } = data.readiness;
  const label = data.draining ? "draining" : status === "ready" ? "serving" : status;
  return [state(status === "ready" ? "good" : status === "degraded" ? "warn" : "bad", label),
    data.draining ? null : reasons.map(({ message }) => h("div", { class: "muted small" }, message))];
}
