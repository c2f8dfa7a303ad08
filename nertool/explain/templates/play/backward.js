// View "backward": from J towards x. A node is ready when all nodes that use it are open. The correct product
// opens it.
{
  let open_ = new Set(["J"]), chosen = "s", told = "", parts, bring, fields = [];
  let shape = "";
  const label = (name) => NODES.find((n) => n.name === name).label;
  // A node W_ij or u_i stands for a product. x_j or h_i gets the gradient of that product times W_ij or u_i.
  const ready = (name) => !open_.has(name) && paths(name).every(({ from }) => open_.has(from));
  const waiting = () => ORDER.filter((name) => ready(name));
  const ORDER = ["s", "u0", "h0", "u1", "h1", "z0", "z1", "b0", "b1", "W00", "W01", "W02", "W10", "W11", "W12", "x0", "x1", "x2"];
  const SLOPES = { tanh: (i) => `f′(z${low(i + 1)}) = 1 − h${low(i + 1)}²`, logistic: (i) => `f′(z${low(i + 1)}) = h${low(i + 1)}(1 − h${low(i + 1)})`,
    relu: (i) => `f′(z${low(i + 1)}): 1 where z > 0, else 0` };

  // The paths from a node to J, each with its upstream gradient (at the node `from`) and its local derivative.
  function paths(name) {
    const w = worked(), [letter, a, b] = name, i = Number(a), n = i + 1;
    const s = w.ds[0], z = w.gradient.delta;
    if (letter === "s") return [{ from: "J", upstream: 1, symbol: "∂J/∂s = p − y", local: s, rule: `The loss: J is used by nothing, so its own gradient is 1. p = ${show(w.p[0])}, y = ${example.y[0]}.` }];
    if (letter === "u") return [{ from: "s", upstream: s, symbol: `∂s/∂u${low(n)} = h${low(n)}`, local: w.h[i], other: net.U[0][i], rule: "s contains u h, a product: each factor gets the upstream times the other factor." }];
    if (letter === "h") return [{ from: "s", upstream: s, symbol: `∂s/∂h${low(n)} = u${low(n)}`, local: net.U[0][i], other: w.h[i], rule: "A product again: this time the other factor is u." }];
    if (letter === "z") return [{ from: `h${i}`, upstream: w.gradient.dh[i], symbol: SLOPES[net.activation](i), local: w.gradient.slope[i], other: w.h[i], rule: "A function: upstream times f′(z). The result is δ, the error signal at z. It is kept: W, b and x all use it." }];
    if (letter === "b") return [{ from: `z${i}`, upstream: z[i], symbol: `∂z${low(n)}/∂b${low(n)} = 1`, local: 1, rule: "A sum passes its gradient on unchanged." }];
    if (letter === "W") return [{ from: `z${i}`, upstream: z[i], symbol: `∂z${low(n)}/∂W${low(n, Number(b) + 1)} = x${low(Number(b) + 1)}`, local: example.x[b], other: net.W[i][b], rule: "z contains W x, a product: so δ, the error signal, times x, the input signal." }];
    return UNITS.map((k) => ({ from: `z${k}`, upstream: z[k], symbol: `∂z${low(k + 1)}/∂x${low(n)} = W${low(k + 1, n)}`, local: net.W[k][i], other: example.x[i],
      rule: "Both units use it. Work out each path; if x moves, J feels both, so add." }));
  }

  // "−1.28", "-1,28" or "-32/25" → a number; NaN for any other text.
  function parsed(text) {
    const [top, bottom, ...more] = text.trim().replace(/[−–]/g, "-").replace(",", ".").split("/");
    return more.length || !top.trim() ? NaN : Number(top) / (bottom === undefined ? 1 : Number(bottom));
  }
  const near = (a, b) => Math.abs(a - b) <= Math.max(0.006 * Math.abs(b), 6e-4);

  function hint(given, { upstream, local, other }, from) {
    const right = upstream * local;
    if (Number.isNaN(given)) return "Write a number, such as −0.5 or -1/2.";
    if (near(given, -right)) return "The size is right; look at the signs once more.";
    if (other !== undefined && near(given, upstream * other)) return "That is upstream times this value itself. The local derivative is the other factor.";
    if (near(given, local)) return "That is the local derivative alone. Multiply it by the upstream gradient.";
    if (near(given, upstream)) return "That is the upstream gradient alone. Multiply it by the local derivative.";
    return `Not yet: upstream is ${show(upstream)}, the gradient at ${label(from)}. Which number is the local derivative?`;
  }

  function submit(event) {
    event.preventDefault();
    const ways = paths(chosen), total = ways.reduce((sum, p) => sum + p.upstream * p.local, 0);
    const wanted = [...ways.map((p) => p.upstream * p.local), ...(ways.length > 1 ? [total] : [])];
    for (let i = 0; i < wanted.length; i++) {
      const given = parsed(fields[i].value);
      const right = near(given, wanted[i]);
      fields[i].setAttribute("aria-invalid", !right);
      if (right) continue;
      told = i < ways.length ? hint(given, ways[i], ways[i].from)
        : ways.some((p) => near(given, p.upstream * p.local)) ? "That is one path alone. If the value moves, J feels both: add them."
          : near(given, ways.reduce((m, p) => m * p.upstream * p.local, 1)) ? "Paths are added, not multiplied." : "Add what comes back along both paths.";
      parts.told.textContent = told;
      fields[i].focus();
      fields[i].select();
      return;
    }
    told = `Right: ∂J/∂${label(chosen)} = ${show(total)}.`;
    opened(chosen);
  }

  function opened(name) {
    open_.add(name);
    chosen = waiting()[0] || null;
    ask();
    if (fields[0]) fields[0].focus();
  }

  function choose(name) {
    if (!ready(name)) return;
    chosen = name;
    told = "";
    ask();
    if (fields[0]) fields[0].focus();
  }

  function ask() {
    bring();
    fields = [];
    const done = ORDER.filter((name) => open_.has(name)).length;
    parts.count.textContent = `${done} of ${ORDER.length} gradients`;
    if (!chosen) {
      fill(parts.ask, el("p", {}, el("strong", {}, "Every gradient is there. "), `δ₁ = ${show(worked().gradient.delta[0])} and δ₂ = ${show(worked().gradient.delta[1])} were computed once; b, W and x each used them.`));
      parts.told.textContent = "";
      return;
    }
    const ways = paths(chosen);
    const field = (name) => { const input = el("input", { type: "text", inputmode: "text", autocomplete: "off", size: 7, "aria-label": name, "aria-describedby": "backward-told" }); fields.push(input); return input; };
    fill(parts.ask, el("form", { onsubmit: submit, "aria-label": `the gradient of ${label(chosen)}` },
      el("p", {}, el("strong", {}, `∂J/∂${label(chosen)} `), ways[0].rule),
      ways.map((p, k) => el("p", { class: "product" },
        ways.length > 1 && el("span", {}, `by z${low(k + 1)}: `),
        el("span", { class: "local" }, "upstream "), backwards(p.upstream), el("span", {}, " × "), el("span", { class: "local" }, "local "), el("span", { class: "symbol" }, p.symbol),
        " = ", field(ways.length > 1 ? `upstream times local by z${k + 1}` : "upstream times local"))),
      ways.length > 1 && el("p", { class: "product" }, "the sum of both = ", field("the sum of both paths")),
      el("div", { class: "choice" }, el("button", { type: "submit", class: "main" }, "Check"),
        button("Show this one", () => { const total = ways.reduce((sum, p) => sum + p.upstream * p.local, 0); told = `∂J/∂${label(chosen)} = ${ways.map((p) => `${factor(p.upstream)} × ${factor(p.local)}`).join(" + ")} = ${show(total)}.`; opened(chosen); }),
        button("Show all", () => { ORDER.forEach((name) => open_.add(name)); chosen = null; told = ""; ask(); }))));
    parts.told.textContent = told;
  }

  views.backward = {
    show() {
      const now = JSON.stringify([net, example]);
      if (now !== shape) { shape = now; open_ = new Set(["J"]); chosen = "s"; told = ""; }
      const stage = document.querySelector("#view-backward .stage");
      parts = { graph: el("div"), ask: el("div", { class: "ask" }), told: el("p", { class: "told", id: "backward-told", "aria-live": "polite" }), count: el("span", { class: "note" }) };
      fill(stage, parts.graph, el("p", { class: "note" }, "Round nodes are parameters: W₁₁ also stands for the product W₁₁ x₁, which goes on into z₁; u₁ for u₁ h₁, which goes on into s."), el("div", { class: "panel" }, parts.ask, parts.told),
        el("div", { class: "controls" }, parts.count, button("Start again", () => { open_ = new Set(["J"]); chosen = "s"; told = ""; ask(); }),
          button("The lesson’s numbers", () => { restart(); views.backward.show(); })));
      const describe = (name, digits) => {
        const w = worked(), seen = open_.has(name), gradient = gradientOf(name, w);
        const state = name === chosen ? "asked" : seen ? "done" : ready(name) ? "ready" : "closed";
        const said = seen ? `gradient ${show(gradient)}` : ready(name) ? "gradient to be worked out" : "gradient not ready";
        const shown = { value: show(valueOf(name, w), digits), gradient: seen ? show(gradient, digits) : state === "closed" ? "" : "?" };
        // The accessible name begins with the visible text.
        return { ...shown, state, label: `${`${label(name)} ${shown.value} ${shown.gradient}`.trim()}: ${said}` };
      };
      describe.lit = () => (chosen ? EDGES.filter(([from]) => from === chosen).flatMap(([from, to]) => [`${from}-${to}`,
        ...(chosen[0] === "x" ? [`${to}-z${to[1]}`] : chosen[0] === "h" ? [`${to}-s`] : [])]) : []);
      bring = graph(parts.graph, describe, (name, element) => {
        element.setAttribute("role", "button");
        element.setAttribute("tabindex", 0);
        element.addEventListener("click", () => choose(name));
        element.addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); choose(name); } });
      });
      ask();
    },
  };
}
