// Elements, texts and small widgets. Every value becomes a text node, so no data is ever read as HTML.

export function h(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function replace(parent, ...children) {
  const focused = parent.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  parent.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (focused) parent.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

export function state(kind, text) {
  return h("span", { class: `state ${kind}` }, text);
}

export function notice(kind, ...content) {
  return h("div", { class: `notice ${kind}`, role: kind === "bad" ? "alert" : "note" }, content);
}

export function empty(title, text) {
  return h("div", { class: "empty" }, h("strong", null, title), text && h("span", null, text));
}

export function loading() {
  return h("div", { class: "empty", role: "status" }, "Loading…");
}

export function card(title, options, ...content) {
  const { end, note, id } = options ?? {};
  const name = id ?? `card-${title.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;
  const heading = h("header", null, h("h2", { id: name }, title), note && h("span", { class: "muted small" }, note), end && h("div", { class: "end" }, end));
  return h("section", { class: "card", "aria-labelledby": name }, heading, content);
}

// columns: [heading, { right }], rows: arrays of cells. On a narrow screen each row is a block of labelled lines, and the roles
// keep the table a table for screen readers.
export function table(label, columns, rows) {
  const heads = columns.map((column) => (Array.isArray(column) ? column : [column, {}]));
  const cell = ([title, { right, bare }], content, place) => {
    const blank = content === null || content === undefined || content === "";
    const classes = [right && "right", blank && "empty-cell"].filter(Boolean).join(" ");
    const attributes = { class: classes || null, role: place ? "cell" : "rowheader", "data-label": bare ? "" : title, scope: place ? null : "row" };
    return h(place ? "td" : "th", attributes, h("div", null, blank ? "" : content));
  };
  const head = heads.map(([title, { right, bare }]) =>
    h("th", { scope: "col", role: "columnheader", class: right ? "right" : null }, bare ? h("span", { class: "hidden" }, title) : title));
  return h("table", { role: "table", "aria-label": label },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head)),
    h("tbody", { role: "rowgroup" }, rows.map(({ cells, class: name }) =>
      h("tr", { role: "row", class: name }, cells.map((content, place) => cell(heads[place], content, place))))));
}

let fieldNumber = 0;

export function field(label, control, hint) {
  control.id ||= `field-${++fieldNumber}`;
  const small = hint && h("small", { id: `${control.id}-hint` }, hint);
  if (small) control.setAttribute("aria-describedby", small.id);
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control, small);
}

let toastTimer;

export function toast(text) {
  const place = document.getElementById("toast");
  place.textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { place.textContent = ""; }, 5000);
}

// Asks before something that cannot be undone. Resolves to whether the user agreed.
export function confirmed(title, text, action) {
  return new Promise((resolve) => {
    const close = (agreed) => { dialog.close(); dialog.remove(); resolve(agreed); };
    const dialog = h("dialog", { "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text", oncancel: (event) => { event.preventDefault(); close(false); } },
      h("div", { class: "stack" },
        h("h2", { id: "confirm-title" }, title), h("p", { id: "confirm-text" }, text),
        h("div", { class: "actions" },
          h("button", { type: "button", onclick: () => close(false) }, "Cancel"),
          h("button", { type: "button", class: "danger", onclick: () => close(true) }, action))));
    document.body.append(dialog);
    dialog.showModal();
  });
}
