// The small network as a graph from x to J: left to right on a wide page, top to bottom on a narrow one.
// A node W_ij stands for the product W_ij x_j, a node u_i for the product u_i h_i.
const UNITS = [0, 1], INPUTS = [0, 1, 2];
const NODES = [
  ...INPUTS.map((j) => ({ name: `x${j}`, label: `x${low(j + 1)}`, layer: 0 })),
  ...UNITS.flatMap((i) => [
    ...INPUTS.map((j) => ({ name: `W${i}${j}`, label: `W${low(i + 1, j + 1)}`, layer: 1, chip: true })),
    { name: `b${i}`, label: `b${low(i + 1)}`, layer: 1, chip: true },
    { name: `z${i}`, label: `z${low(i + 1)}`, layer: 2 },
    { name: `h${i}`, label: `h${low(i + 1)}`, layer: 3 },
    { name: `u${i}`, label: `u${low(i + 1)}`, layer: 4, chip: true },
  ]),
  { name: "s", label: "s", layer: 5 },
  { name: "J", label: "J", layer: 6 },
];
const EDGES = [
  ...UNITS.flatMap((i) => [
    ...INPUTS.flatMap((j) => [[`x${j}`, `W${i}${j}`], [`W${i}${j}`, `z${i}`]]),
    [`b${i}`, `z${i}`], [`z${i}`, `h${i}`], [`h${i}`, `u${i}`], [`u${i}`, "s"],
  ]),
  ["s", "J"],
];

function valueOf(name, w) {
  const [letter, i, j] = name;
  if (letter === "W") return net.W[i][j];
  if (letter === "u") return net.U[0][i];
  if (letter === "b") return net.b[i];
  if (letter === "x") return example.x[i];
  if (letter === "s") return w.s[0];
  return letter === "J" ? w.J : w[letter][i];
}

function gradientOf(name, w) {
  const [letter, i, j] = name, g = w.gradient;
  if (letter === "W") return g.W[i][j];
  if (letter === "u") return g.U[0][i];
  if (letter === "b" || letter === "z") return g.delta[i];
  if (letter === "x") return g.x[i];
  if (letter === "h") return g.dh[i];
  return letter === "s" ? w.ds[0] : 1;
}

const SHARE = [0, 1.25, 2.5, 3.55, 4.6, 5.6, 6.6]; // positions of the layers

function places(width) {
  const wide = width >= 620;
  const at = {};
  const size = wide ? { box: [Math.min(96, width / 9), 56], chip: [Math.min(88, width / 9.4), 52] }
    : { box: [76, 56], chip: [(width - 8 * 4) / 8, 54] };
  const height = wide ? 8 * 60 + 14 : 7 * 80;
  const along = (layer) => (wide ? size.box[0] / 2 + 2 + (SHARE[layer] / 6.6) * (width - size.box[0] - 4) : 30 + (layer / 6) * (height - 60));
  const span = wide ? height : width;
  const across = (u) => (wide ? 4 + u * (span - 8) : u * span);
  const chips = UNITS.flatMap((i) => [...INPUTS.map((j) => `W${i}${j}`), `b${i}`]);
  const share = (node) => {
    if (node.chip && node.layer === 1) return (chips.indexOf(node.name) + 0.5) / 8;
    if (node.layer === 0) return [0.2, 0.5, 0.8][node.name[1]];
    return node.layer >= 5 ? 0.5 : [0.25, 0.75][node.name[1]];
  };
  for (const node of NODES) {
    const [a, b] = [along(node.layer), across(share(node))];
    at[node.name] = wide ? [a, b] : [b, a];
  }
  return { wide, at, size, height };
}

// Draw the graph into holder. describe(name) returns the texts {value, gradient, state, label}, which are
// optional. act(name, element) is called once for each node, to make it interactive. Returns a function that
// updates the texts.
function graph(holder, describe, act) {
  const width = Math.max(300, holder.clientWidth);
  const { wide, at, size, height } = places(width);
  const nodes = {}, edges = {};
  const out = svg("svg", { class: `net ${wide ? "wide" : "narrow"}`, viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": "the network as a graph" });
  for (const [from, to] of EDGES) {
    const [x1, y1] = at[from], [x2, y2] = at[to];
    const bend = wide ? `C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2}` : `C${x1} ${(y1 + y2) / 2} ${x2} ${(y1 + y2) / 2}`;
    out.append(edges[`${from}-${to}`] = svg("path", { class: "edge", d: `M${x1} ${y1}${bend} ${x2} ${y2}` }));
  }
  const order = [...NODES].sort((a, b) => a.layer - b.layer || at[a.name][wide ? 1 : 0] - at[b.name][wide ? 1 : 0]);
  for (const node of order) {
    const [w, h] = node.chip && node.layer === 1 ? size.chip : size.box;
    const [cx, cy] = at[node.name];
    const text = (kind) => svg("text", { x: w / 2, class: kind });
    const parts = { label: text("name"), value: text("value"), gradient: text("gradient") };
    parts.label.textContent = node.label;
    const group = svg("g", { class: "node", transform: `translate(${cx - w / 2} ${cy - h / 2})`, "data-node": node.name },
      svg("rect", { width: w, height: h, rx: node.chip ? h / 2.6 : 7 }), parts.label, " ", parts.value, " ", parts.gradient);
    if (node.chip) group.classList.add("chip");
    nodes[node.name] = { group, ...parts, height: h, digits: w < 52 ? 2 : w < 76 ? 3 : 4 };
    out.append(group);
  }
  fill(holder, out);
  for (const node of NODES) if (act) act(node.name, nodes[node.name].group);
  return () => {
    for (const { name } of NODES) {
      const told = describe(name, nodes[name].digits);
      const { group, value, gradient, height } = nodes[name];
      const lines = told.gradient ? [0.3, 0.59, 0.88] : [0.42, 0.76];
      [nodes[name].label, value, gradient].forEach((text, i) => text.setAttribute("y", height * (lines[i] || 0.88)));
      gradient.classList.toggle("extra", told.extra === true);
      value.textContent = told.value ?? "";
      gradient.textContent = told.gradient ?? "";
      group.classList.remove("asked", "closed", "ready", "done");
      if (told.state) group.classList.add(...told.state.split(" "));
      if (told.label) group.setAttribute("aria-label", told.label);
      if (group.told) group.told();
    }
    const lit = describe.lit ? describe.lit() : [];
    for (const [name, edge] of Object.entries(edges)) edge.classList.toggle("lit", lit.includes(name));
  };
}
