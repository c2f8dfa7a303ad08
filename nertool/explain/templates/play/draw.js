// HTML and SVG elements, formatted numbers, numbers that can be dragged, and plots.
const make = (space) => (tag, attributes = {}, ...children) => {
  const element = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("aria-") && value !== undefined) element.setAttribute(name, String(value));
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
};
const el = make(null);
const svg = make("http://www.w3.org/2000/svg");
const fill = (element, ...children) => element.replaceChildren(...children.flat(2).filter((c) => c !== null && c !== false));

const SUPER = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const SUB = "₀₁₂₃₄₅₆₇₈₉";
const low = (...numbers) => numbers.map((n) => String(n).replace(/\d/g, (d) => SUB[d])).join("");
const power = (n) => `10${[...String(n)].map((c) => SUPER[c]).join("")}`;

// Format a number with up to `digits` decimals, without trailing zeros; with a power of ten if it is small or
// large.
function show(value, digits = 4) {
  if (Number.isNaN(value)) return "not a number";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size < 1e-15) return "0";
  let text;
  if (size < 0.5 * 10 ** -Math.min(digits, 3) || size >= 1e5) {
    const [mantissa, exponent] = size.toExponential(2).split("e");
    text = `${Number(mantissa)}·${power(Number(exponent))}`;
  } else text = size.toFixed(digits).replace(/\.?0+$/, "");
  return value < 0 ? `−${text}` : text;
}
const factor = (value, digits) => (value < 0 ? `(${show(value, digits)})` : show(value, digits));
const signed = (value, digits) => (value < 0 ? show(value, digits) : `+${show(value, digits)}`);

const forwards = (value, digits) => el("span", { class: "value" }, show(value, digits));
const backwards = (value, digits) => el("span", { class: "gradient" }, factor(value, digits));
const line = (...parts) => el("p", { class: "formula" }, ...parts);
const button = (text, onclick, attributes = {}) => el("button", { type: "button", onclick, ...attributes }, text);

// A group of buttons, one of which is pressed. options: [[value, text]].
function choice(label, options, get, set) {
  const group = el("div", { class: "choice", role: "group", "aria-label": label });
  group.update = () => [...group.children].forEach((b, i) => b.setAttribute("aria-pressed", options[i][0] === get()));
  group.append(...options.map(([value, text]) => button(text, () => { set(value); group.update(); })));
  group.update();
  return group;
}

function slider(label, { min, max, step, get, set, text }) {
  const input = el("input", { type: "range", min, max, step, "aria-label": label });
  const output = el("output");
  const told = el("label", { class: "slider" }, el("span", {}, label), input, output);
  told.update = () => {
    input.value = get();
    output.textContent = text(get());
    input.setAttribute("aria-valuetext", text(get()));
  };
  input.addEventListener("input", () => { set(Number(input.value)); told.update(); });
  told.update();
  return told;
}

// Make a number editable by dragging its element, or by the arrow keys.
function draggable(element, { label, get, set, by = 0.1, pixels = 7 }) {
  const round = (v) => Math.round(v / by) * by;
  const change = (v) => { set(Number(Math.max(-9, Math.min(9, v)).toFixed(6))); told(); };
  const told = () => {
    element.setAttribute("aria-valuenow", Number(get().toFixed(4)));
    element.setAttribute("aria-valuetext", `${label}: ${show(get())}`);
  };
  for (const [name, value] of Object.entries({ role: "slider", tabindex: 0, "aria-label": label, "aria-valuemin": -9, "aria-valuemax": 9 }))
    element.setAttribute(name, value);
  element.classList.add("drag");
  element.addEventListener("keydown", (event) => {
    const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (!steps) return;
    event.preventDefault();
    change(round(get()) + steps * by);
  });
  element.addEventListener("pointerdown", (event) => {
    const from = event.clientX - event.clientY, start = round(get());
    let last = start;
    const move = (e) => {
      const next = start + Math.round((e.clientX - e.clientY - from) / pixels) * by;
      if (next !== last) change((last = next));
    };
    const end = () => { removeEventListener("pointermove", move); removeEventListener("pointerup", end); removeEventListener("pointercancel", end); };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  });
  element.told = told;
  told();
  return element;
}

// A table. A cell is a text, an element, or a list of both. foot: rows at the end.
function table(head, rows, { foot = [], kind = "", label = "" } = {}) {
  const cells = (row, tag) => row.map((cell) => el(tag, {}, cell));
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label || head.filter((h) => typeof h === "string").join(", ") },
    el("table", { class: kind },
      el("thead", {}, el("tr", {}, head.map((cell) => el("th", { scope: "col" }, cell)))),
      el("tbody", {}, rows.map((row) => el("tr", row.attributes || {}, cells(row, "td")))),
      el("tfoot", {}, foot.map((row) => el("tr", {}, cells(row, "td"))))));
}

// A text in which indices, as in "z_i", become subscripts.
const math = (text) => text.split(/(_\w+)/).map((part) => (part.startsWith("_") ? el("sub", {}, part.slice(1)) : part));

// A matrix in square brackets. cell(i, j): the entry, a text or an element.
function matrix(rows, columns, cell, name = "") {
  const grid = el("span", { class: "grid", style: `grid-template-columns: repeat(${columns}, auto)` });
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) {
    const shown = cell(i, j);
    grid.append(shown instanceof Element ? shown : el("span", {}, shown));
  }
  return el("span", { class: "matrix" }, grid, el("span", { class: "shape" }, name));
}

// A plot. x, y: {from, to, log, ticks, label, text}; curves: [{points, kind}]; marks: [{x, y, kind, text}].
function plot(width, height, { x, y, curves = [], marks = [], label }) {
  const [left, right, top, bottom] = [56, 14, 14, 40];
  const place = (axis, a, b) => (v) => {
    const u = axis.log ? Math.log10(Math.max(v, 1e-300)) : v;
    const [lo, hi] = axis.log ? [Math.log10(axis.from), Math.log10(axis.to)] : [axis.from, axis.to];
    return a + ((b - a) * (u - lo)) / (hi - lo);
  };
  const px = place(x, left, width - right), py = place(y, height - bottom, top);
  const clip = `clip-${Math.random().toString(36).slice(2)}`;
  const out = svg("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label },
    svg("clipPath", { id: clip }, svg("rect", { x: left, y: top, width: width - left - right, height: height - top - bottom })));
  for (const v of x.ticks) out.append(
    svg("line", { class: "tick", x1: px(v), x2: px(v), y1: top, y2: height - bottom }),
    svg("text", { x: px(v), y: height - bottom + 16, class: "middle" }, (x.text || show)(v)));
  for (const v of y.ticks) out.append(
    svg("line", { class: "tick", x1: left, x2: width - right, y1: py(v), y2: py(v) }),
    svg("text", { x: left - 6, y: py(v) + 4, class: "end" }, (y.text || show)(v)));
  out.append(svg("text", { x: width - right, y: height - 6, class: "end" }, x.label),
    svg("text", { x: left + 6, y: top + 12, class: "start" }, y.label));
  const inside = svg("g", { "clip-path": `url(#${clip})` });
  for (const { points, kind } of curves) {
    const d = points.filter((p) => Number.isFinite(p[1])).map(([a, b], i) => `${i ? "L" : "M"}${px(a).toFixed(1)} ${py(b).toFixed(1)}`).join("");
    inside.append(svg("path", { class: kind, d }));
  }
  for (const { x: a, y: b, kind } of marks)
    if (Number.isFinite(b)) inside.append(svg("circle", { class: kind, cx: px(a), cy: py(b), r: 5.5 }));
  out.append(inside);
  return out;
}

const widthOf = (element, most = 640) => Math.max(280, Math.min(most, element.clientWidth || most));
