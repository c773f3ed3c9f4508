import { post } from "../api.js";
import { card, empty, h, notice, replace, state, table, toast } from "../dom.js";
import { milliseconds, number, until } from "../format.js";

const NOT_FIRST = "available, not first";

export function pools({ place, heading, follow, failed }) {
  const note = h("p");
  heading.append(note);
  const refresh = follow("admin/pools", 2, (data) => {
    note.textContent = `${number(data.pools.length)} pool${data.pools.length === 1 ? "" : "s"}, as a plain request would find them now`;
    replace(place, data.pools.length ? data.pools.map(pool) : h("div", { class: "card" }, empty("No pools", "Add a provider or a pool to the configuration.")));
  });

  async function act(path, body, text) {
    try {
      toast(text(await post(path, body)));
    } catch (error) {
      const shown = failed(error);
      if (shown) toast(error.message);
    }
    refresh();
  }

  function pool(data) {
    const path = `admin/pools/${encodeURIComponent(data.name)}`;
    const standby = data.candidates.filter((row) => row.status !== "active").length;
    const rotate = h("button", { type: "button", class: "small", "data-key": `rotate-${data.name}`, "aria-label": `Rotate ${data.name}`, onclick: () => act(`${path}/rotate`, {}, ({ model }) => `${data.name} goes on with ${model}.`) }, "Rotate");
    const recover = standby > 0 && h("button", { type: "button", class: "small", "data-key": `recover-${data.name}`, "aria-label": `Recover all of ${data.name}`, onclick: () => act(`${path}/recover`, {}, ({ models }) => recovered(models)) }, "Recover all");
    const note = [data.strategy, data.capability, data.aliases.length ? `also ${data.aliases.join(", ")}` : ""].filter(Boolean).join(" · ");
    const columns = ["Model", "Provider", "State", "Reason", "Until", ["Action", { right: true, bare: true }]];
    return card(data.name, { id: `pool-${data.name}`, note, end: [rotate, recover] },
      h("div", null,
        !data.selected_model && h("div", { class: "body" }, notice("bad", data.reason)),
        data.candidates.length ? table(`Models of ${data.name}`, columns, data.candidates.map((row) => member(data, row, path))) : empty("No models", "No provider has a model for this pool."),
        statistics(data)));
  }

  function member(data, row, path) {
    const off = row.status !== "active";
    const again = off && h("div", { class: "actions" }, h("button", {
      type: "button", class: "small", "data-key": `recover-${data.name}-${row.provider}-${row.model}`, "aria-label": `Recover ${row.provider}/${row.model}`,
      onclick: () => act(`${path}/recover`, { model: `${row.provider}/${row.model}` }, ({ models }) => recovered(models)),
    }, "Recover"));
    return {
      class: row.selected ? "chosen" : null,
      cells: [
        [h("span", { class: "mono" }, row.model), row.selected && [" ", h("span", { class: "tag accent" }, "next")]],
        row.provider,
        off ? state("warn", "standby") : row.reason && row.reason !== NOT_FIRST && !row.selected ? state("idle", "not for this request") : state("good", "active"),
        row.reason === NOT_FIRST ? h("span", { class: "muted" }, "not first") : row.reason,
        off ? (row.until === null ? "no time known" : until(row.until)) : "",
        again || "",
      ],
    };
  }
}

function recovered(models) {
  return models.length ? `Active again: ${models.join(", ")}.` : "No model was in standby for a reason that can be cleared.";
}

function statistics({ statistics: counts }) {
  if (!counts.requests_total) return null;
  const failed = counts.requests_failed ? `, ${number(counts.requests_failed)} failed` : "";
  return h("p", { class: "muted small foot" }, `${number(counts.requests_total)} request${counts.requests_total === 1 ? "" : "s"}${failed}, median ${milliseconds(counts.latency_p50)}, 95 % within ${milliseconds(counts.latency_p95)}`);
}
