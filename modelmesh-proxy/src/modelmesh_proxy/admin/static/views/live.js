import { events, send } from "../api.js";
import { card, empty, h, replace, state, table } from "../dom.js";
import { clock, milliseconds, number, usd } from "../format.js";

const MOST = 100;
const STATES = { pending: ["idle", "waiting"], streaming: ["idle", "streaming"], answered: ["good", "answered"], failed: ["bad", "failed"], interrupted: ["bad", "interrupted"], cancelled: ["warn", "cancelled"] };

export function live({ place, heading, signal, failed }) {
  const connection = h("p", { role: "status" }, "Connecting…");
  const pause = h("button", { type: "button", class: "small", "aria-pressed": "false", onclick: () => { paused = !paused; pause.setAttribute("aria-pressed", String(paused)); pause.textContent = paused ? "Resume" : "Pause"; if (!paused) later(); } }, "Pause");
  heading.append(connection, h("div", { class: "end" }, pause));
  const running = new Map(), counts = new Map();
  let finished = [], changes = [], attempts = 0, paused = false, waiting = false;

  const places = [h("div"), h("div"), h("div")];
  const intro = h("p", { class: "muted" }, "Requests appear while this view is open. Prompts and answers are never sent here.");
  replace(place, intro, places);
  draw();
  follow();

  async function follow() {
    for (let pauseMs = 500; !signal.aborted; pauseMs = Math.min(pauseMs * 2, 10000)) {
      try {
        const response = await send("GET", "admin/attempts", undefined, { signal });
        running.clear();
        finished = [];
        changes = [];
        connection.textContent = "Connected";
        pauseMs = 250;
        for await (const { event, data } of events(response)) if (event !== "comment") take(event, JSON.parse(data));
        connection.textContent = "The proxy closed the connection. Connecting again…";
      } catch (error) {
        if (signal.aborted) return;
        if (error.status === 401 || error.status === 403) {
          const trouble = failed(error);
          if (trouble) replace(place, trouble);
          return;
        }
        connection.textContent = `${error.message} Connecting again…`;
      }
      await new Promise((resolve) => { setTimeout(resolve, pauseMs); });
    }
  }

  function take(event, data) {
    if (event === "counts") {
      counts.set(data.process, { running: data.requests_running, at: performance.now() });
      const running = [...counts.values()].filter(({ at }) => performance.now() - at < 5000).reduce((sum, one) => sum + one.running, 0); 
      connection.textContent = `Connected, ${running === 1 ? "1 request runs" : `${number(running)} requests run`}`;
      return;
    }
    if (event === "attempt") {
      if (data.outcome === "pending") attempts += 1;
      if (data.outcome === "pending" || data.outcome === "streaming") running.set(data.id, data);
      else running.delete(data.id);
    } else if (event === "request") finished = [data, ...finished].slice(0, MOST);
    else changes = [data, ...changes].slice(0, MOST);
    later();
  }

  function later() {
    if (waiting || paused) return;
    waiting = true;
    setTimeout(() => { waiting = false; if (!signal.aborted) draw(); }, 120);
  }

  function draw() {
    const now = [...running.values()].slice(-50).reverse();
    replace(places[0], card("Attempts in flight", { note: attempts ? `${number(attempts)} since this view was opened` : "" },
      now.length ? table("Attempts in flight", ["Model", "Provider", "Operation", "State", ["Attempt", { right: true }], ["Since", { right: true }]], now.map((row) => ({
        cells: [h("span", { class: "mono" }, row.model), row.provider, row.operation, state(...STATES[row.outcome]), number(row.number), clock(row.began_at)],
      }))) : empty("Nothing is in flight")));
    replace(places[1], card("Finished requests", { note: finished.length ? `the last ${number(finished.length)}` : "" },
      finished.length ? table("Finished requests", ["Began", "Pool", "Answered by", "Attempts", ["Tokens", { right: true }], ["Cost", { right: true }], ["Time", { right: true }]], finished.map(request)) : empty("No request yet", "Send one from the playground or an application.")));
    replace(places[2], changes.length > 0 && card("Changes", { note: "models and limits" },
      table("Changes", ["Time", "Change", "Model", "Details"], changes.map((row) => ({
        cells: [clock(row.timestamp), row.event_type.replaceAll("_", " "), [row.provider_id, row.model_id].filter(Boolean).join("/"), Object.entries(row.metadata).filter(([, value]) => value !== null && value !== "").map(([key, value]) => `${key.replaceAll("_", " ")}: ${value}`).join(", ")],
      })))));
  }
}

function request(row) {
  const answered = row.model_id ? [h("span", { class: "mono" }, row.model_id), h("div", { class: "muted small" }, row.provider_id)] : state("bad", row.error ?? "no answer");
  const steps = row.attempts.map((attempt) => h("div", { class: "small" }, state(...(STATES[attempt.outcome] ?? ["idle", attempt.outcome])), " ",
    h("span", { class: "muted" }, [`${attempt.provider_id}/${attempt.model_id}`, attempt.failure, attempt.status && `status ${attempt.status}`, milliseconds(attempt.ms)].filter(Boolean).join(", "))));
  const tokens = row.tokens_in === null && row.tokens_out === null ? null : `${number(row.tokens_in)} + ${number(row.tokens_out)}${row.estimated ? " est." : ""}`;
  return {
    cells: [
      h("span", { class: "nowrap" }, clock(row.timestamp)),
      [row.pool_id, h("div", { class: "muted small" }, [row.operation, row.delivery_mode === "streaming" && "stream", row.caller && `from ${row.caller}`].filter(Boolean).join(", "))],
      [answered, row.model_id && row.error && h("div", null, state("bad", row.error))], steps.length ? steps : h("span", { class: "muted" }, "none"), tokens, usd(row.cost), milliseconds(row.latency_ms),
    ],
  };
}
