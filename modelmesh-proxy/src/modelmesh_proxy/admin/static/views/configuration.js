import { post } from "../api.js";
import { card, h, notice, replace } from "../dom.js";

export function configuration({ place, heading, follow, failed }) {
  const note = h("p");
  heading.append(note);
  const result = h("div", { class: "body", "aria-live": "polite" }, h("p", { class: "muted" }, "The check loads connectors and looks up secrets, and sends no request to a model."));
  const button = h("button", { type: "button", class: "small", "data-key": "check", onclick: check }, "Check now");
  const checks = card("Check", { end: button }, result);

  follow("admin/config", 10, (data) => {
    note.textContent = data.file ?? "from the environment or from code";
    replace(place, checks,
      data.notes.length > 0 && card("Keys without effect", null, h("div", { class: "body" }, data.notes.map((text) => h("p", null, text)))),
      card("Configuration", { note: "secrets are masked" }, h("pre", { class: "code", tabindex: "0", role: "region", "aria-label": "Configuration as YAML" }, data.text)));
  });

  async function check() {
    button.setAttribute("aria-disabled", "true");
    replace(result, h("p", { role: "status" }, "Checking…"));
    try {
      const found = await post("admin/config/check");
      const count = found.problems.length;
      replace(result,
        found.ok ? notice("good", "No problems found.") : notice("bad", `The check found problems${count ? "" : ", and printed none"}.`),
        count > 0 && h("pre", { class: "wrap", tabindex: "0", role: "region", "aria-label": "Problems" }, found.problems.join("\n")),
        found.output && h("pre", { tabindex: "0", role: "region", "aria-label": "Output of the check" }, found.output),
        found.command && h("p", { class: "muted small" }, "Command: ", h("code", null, found.command)));
    } catch (error) {
      const shown = failed(error);
      if (shown) replace(result, shown);
    }
    button.removeAttribute("aria-disabled");
  }
}
