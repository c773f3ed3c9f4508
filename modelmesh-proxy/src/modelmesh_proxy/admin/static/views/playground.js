import { events, get, post, send } from "../api.js";
import { card, empty, field, h, notice, replace, state, table } from "../dom.js";
import { milliseconds, usd } from "../format.js";

const kept = { model: "", system: "", message: "Say hello in one sentence.", tokens: "", stream: true };

export async function playground({ place, heading, signal, failed }) {
  heading.append(h("p", null, "Sends real requests, which cost what they cost"));
  let names;
  try {
    names = (await get("admin/pools")).pools.filter(({ capability }) => !capability || capability.startsWith("generation.text-generation"));
  } catch (error) {
    replace(place, failed(error));
    return;
  }
  if (signal.aborted) return;
  if (!names.length) {
    replace(place, h("div", { class: "card" }, empty("No pool for chats", "Add a provider with a chat model to the configuration first.")));
    return;
  }
  let running = null;
  const models = [...new Set(names.flatMap((pool) => pool.candidates.map((row) => row.model)))];
  const model = h("select", { name: "model", onchange: () => explain() },
    h("optgroup", { label: "Pools" }, names.map((pool) => h("option", null, pool.name))),
    h("optgroup", { label: "Models" }, models.map((name) => h("option", null, name))));
  if (kept.model) model.value = kept.model;
  if (!model.value) model.selectedIndex = 0;
  const system = h("input", { name: "system", value: kept.system, placeholder: "none", autocomplete: "off" });
  const message = h("textarea", { name: "message", rows: 5, required: true, value: kept.message, onkeydown: (event) => { if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) form.requestSubmit(); } });
  const tokens = h("input", { name: "tokens", type: "number", min: 1, step: 1, inputmode: "numeric", placeholder: "no limit", value: kept.tokens });
  const stream = h("input", { name: "stream", type: "checkbox" });
  stream.checked = kept.stream;
  const go = h("button", { class: "primary" }, "Send");
  const stop = h("button", { type: "button", disabled: true, onclick: () => running?.abort() }, "Stop");
  const answer = h("div", { class: "answer", "aria-live": "polite", "aria-busy": "false" }, h("span", { class: "muted" }, "The answer appears here."));
  const facts = h("div");
  const route = h("div", null, h("div", { class: "empty" }, "Loading…"));
  const form = h("form", { class: "body", onsubmit: (event) => { event.preventDefault(); ask(); } },
    h("div", { class: "fields" }, field("Model or pool", model), field("Most tokens of the answer", tokens)),
    field("System message", system), field("Message", message, "Ctrl+Enter sends"),
    h("div", { class: "actions" }, go, stop, h("label", { class: "check" }, stream, "Stream the answer"),
      h("button", { type: "button", onclick: () => explain() }, "Explain the route")));
  replace(place, h("div", { class: "columns" },
    h("div", { class: "view" }, card("Request", null, form), card("Answer", null, h("div", null, answer, facts))),
    card("Route", { note: "where this request would go now" }, route)));
  signal.addEventListener("abort", () => { running?.abort(); remember(); });
  explain();

  function remember() {
    Object.assign(kept, { model: model.value, system: system.value, message: message.value, tokens: tokens.value, stream: stream.checked });
  }

  function body() {
    const messages = [system.value && { role: "system", content: system.value }, { role: "user", content: message.value }].filter(Boolean);
    return { model: model.value, messages, ...(tokens.value && { max_tokens: Number(tokens.value) }), ...(stream.checked && { stream: true, stream_options: { include_usage: true } }) };
  }

  async function explain() {
    try {
      const found = await post("admin/explain", body());
      if (!signal.aborted) replace(route, explanation(found));
    } catch (error) {
      const shown = failed(error);
      if (shown) replace(route, h("div", { class: "body" }, shown));
    }
  }

  async function ask() {
    if (running || !message.value.trim()) return;
    running = new AbortController();
    go.setAttribute("aria-disabled", "true");
    stop.disabled = false;
    answer.setAttribute("aria-busy", "true");
    replace(answer, h("span", { class: "muted" }, "Waiting for the first token…"));
    replace(facts);
    const began = performance.now();
    let first = null, usage = null, cost = null, text = "", headers = null, problem = null;
    try {
      const response = await send("POST", "v1/chat/completions", body(), { signal: running.signal });
      headers = response.headers;
      if (stream.checked) {
        for await (const { event, data } of events(response)) {
          if (event === "comment") {
            if (data.startsWith("x-modelmesh-cost=")) cost = Number(data.split("=")[1]);
            continue;
          }
          if (data === "[DONE]") continue;
          const chunk = JSON.parse(data);
          if (chunk.error) throw new Error(chunk.error.message);
          usage = chunk.usage ?? usage;
          const piece = chunk.choices?.[0]?.delta?.content;
          if (piece) {
            first ??= performance.now() - began;
            text += piece;
            answer.textContent = text;
          }
        }
      } else {
        const reply = await response.json();
        usage = reply.usage;
        if (headers.has("x-modelmesh-cost")) cost = Number(headers.get("x-modelmesh-cost"));
        text = reply.choices?.[0]?.message?.content ?? JSON.stringify(reply, null, 2);
        answer.textContent = text;
      }
    } catch (error) {
      problem = error.name === "AbortError" ? notice("warn", "Stopped.") : notice("bad", error.message);
    }
    if (signal.aborted) return;
    if (!text && !problem) answer.textContent = "(an answer without text)";
    if (!text && problem) replace(answer);
    if (problem) answer.append(problem);
    answer.setAttribute("aria-busy", "false");
    go.removeAttribute("aria-disabled");
    stop.disabled = true;
    running = null;
    replace(facts, results(headers, usage, cost, first, performance.now() - began));
    explain();
  }
}

function results(headers, usage, cost, first, took) {
  const line = (title, value) => value !== null && value !== undefined && [h("dt", null, title), h("dd", null, value)];
  const own = headers ? [...headers].filter(([name]) => name.startsWith("x-modelmesh-") || name === "x-request-id") : [];
  return h("div", { class: "body foot" }, h("dl", { class: "list" },
    first !== null && line("first token", milliseconds(first)), line("time", milliseconds(took)),
    usage && line("tokens", `${usage.prompt_tokens} + ${usage.completion_tokens}`),
    cost !== null && line("cost", usd(cost)),
    own.map(([name, value]) => line(h("code", null, name), h("span", { class: "mono" }, value)))));
}

function explanation(found) {
  const chosen = found.selected_model;
  const head = h("div", { class: "body" },
    chosen ? h("p", null, "Next: ", h("strong", { class: "mono" }, `${found.selected_provider}/${chosen}`), found.reason ? `, ${found.reason}` : "") : notice("bad", found.reason),
    h("p", { class: "muted small" }, [`pool ${found.name}`, found.strategy, found.capability].filter(Boolean).join(" · ")));
  const price = (row) => row.price && row.price.input_per_1k_tokens !== undefined ? `${usd(row.price.input_per_1k_tokens * 1000)} + ${usd((row.price.output_per_1k_tokens ?? 0) * 1000)}` : null;
  const scored = found.candidates.some((row) => row.score !== null && row.score !== 0 && row.score !== 1);
  const priced = found.candidates.some(price);
  const columns = ["Candidate", "State", "Reason", ...(scored ? [["Score", { right: true }]] : []), ...(priced ? [["$ per million", { right: true }]] : [])];
  return [head, table("Candidates", columns, found.candidates.map((row) => ({
    class: row.selected ? "chosen" : null,
    cells: [
      [h("span", { class: "mono" }, row.model), h("div", { class: "muted small" }, row.provider)],
      row.status === "active" ? state("good", row.selected ? "selected" : "active") : state("warn", "standby"), row.reason,
      ...(scored ? [row.score === null ? null : String(Math.round(row.score * 1000) / 1000)] : []), ...(priced ? [price(row)] : []),
    ],
  })))];
}
