// View "check": the gradients against central differences and the complex step, and the effect of known
// mistakes.
{
  let log = -5, seeded = "", parts;
  const BLOCKS = ["W", "b", "U", "x"], LETTER = { W: "W", b: "b", U: "u", x: "x" };
  const eps = () => 10 ** log;
  const batch = () => [example, OTHER];

  // Each entry of a parameter, and each number of each x, as {block, value, analytic, changed}: analytic(g) reads
  // its entry of the gradients g; changed(w) returns [net, batch] where its value is w.
  function coordinates() {
    const out = [];
    const put = (array, path, value) => { const next = [...array]; next[path[0]] = path.length > 1 ? put(array[path[0]], path.slice(1), value) : value; return next; };
    const visit = (array, path, make_, read, block) => array.forEach((v, i) => (Array.isArray(v) ? visit(v, [...path, i], make_, read, block)
      : out.push({ block, value: v, analytic: (g) => [...path, i].reduce((a, k) => a[k], g[block]), changed: (w) => make_([...path, i], w) })));
    for (const block of ["W", "b", "U"]) visit(net[block], [], (path, w) => [{ ...net, [block]: put(net[block], path, w) }, batch()], null, block);
    batch().forEach(({ x }, n) => visit([x], [], (path, w) => [net, batch().map((e, m) => (m === n ? { ...e, x: put(e.x, [path[1]], w) } : e))], null, "x"));
    // The gradient of x has a row for each example: row 1 is for the second example.
    const own = out.filter((c) => c.block === "x");
    own.forEach((c, i) => { c.analytic = (g) => g.x[Math.floor(i / 3)][i % 3]; });
    return out;
  }
  const central = (c, e) => (meanLoss(...c.changed(c.value + e)) - meanLoss(...c.changed(c.value - e))) / (2 * e);
  const complex = (c, e) => complexMeanLoss(...c.changed([c.value, e]))[1] / e;

  // ‖a − n‖ / (‖a‖ + ‖n‖), as in nertool gradcheck.
  function distance(pairs) {
    const norm = (f) => Math.hypot(...pairs.map(f));
    return norm(([a, n]) => a - n) / (norm(([a]) => a) + norm(([, n]) => n) || 1);
  }

  function checked(mistake, epsilon) {
    const g = gradients(net, batch(), mistake ? mistake.back : backward);
    return Object.fromEntries(BLOCKS.map((block) => {
      const own = coordinates().filter((c) => c.block === block);
      const error = (method) => distance(own.map((c) => [c.analytic(g), method(c, epsilon)]));
      return [block, { central: error(central), complex: error(complex), first: own[0].analytic(g), numeric: central(own[0], epsilon) }];
    }));
  }

  // The blocks whose gradients a mistake makes wrong, found by the complex step. The tests use it, too.
  window.spoiled = (name) => {
    const found = checked(MISTAKES.find((m) => m.name === name), 1e-20);
    return BLOCKS.filter((block) => !(found[block].complex < 1e-6));
  };

  function again() {
    const mistake = MISTAKES.find((m) => m.name === seeded), all = coordinates();
    const found = checked(mistake, eps()), g = gradients(net, batch());
    const wrong = (block) => !(checked(mistake, 1e-20)[block].complex < 1e-6);
    const grid = Array.from({ length: 57 }, (_, i) => 10 ** (-1 - i * 0.25));
    const error = (method, e) => Math.max(distance(all.map((c) => [c.analytic(g), method(c, e)])), 1e-17);
    const now = [error(central, eps()), error(complex, eps())];
    fill(parts.plot, plot(widthOf(parts.plot, 560), 310, {
      x: { from: 1e-15, to: 0.1, log: true, ticks: [1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 1e-1], text: (v) => power(Math.round(Math.log10(v))), label: "ε" },
      y: { from: 1e-17, to: 1, log: true, ticks: [1e-16, 1e-12, 1e-8, 1e-4, 1], text: (v) => power(Math.round(Math.log10(v))), label: "relative error" },
      curves: [{ points: grid.map((e) => [e, error(central, e)]), kind: "line" }, { points: grid.map((e) => [e, error(complex, e)]), kind: "real" }],
      marks: [{ x: eps(), y: now[0], kind: "there" }, { x: eps(), y: now[1], kind: "here" }],
      label: `error against ε: central ${show(now[0])}, complex step ${show(now[1])}`,
    }));
    fill(parts.told, el("p", {}, `At ε = ${power(log)}: the central difference is off by ${show(now[0])}, the complex step by ${show(now[1])}. `,
      log > -5 ? "Large ε: the curve bends between the two points, and the error falls with ε²." : log < -6 ? "Small ε: two nearly equal values of J are subtracted, and their last digits are all that is left. The complex step subtracts nothing." : "About here the central difference is at its best: what bending and rounding cost is equally small."));
    fill(parts.blocks, BLOCKS.map((block) => el("div", { class: `block ${wrong(block) ? "wrong" : "right"}` },
      el("b", {}, `∂J/∂${LETTER[block]}`), el("span", {}, wrong(block) ? "✗ wrong" : "✓ agrees"),
      el("span", { class: "note" }, "first entry ", show(found[block].first, 5)), el("span", { class: "note" }, "by nudging ", show(found[block].numeric, 5)),
      el("span", { class: "note" }, "error ", show(found[block].central)))));
    parts.mistake.textContent = mistake ? `${mistake.name}: ${mistake.what}. Wrong: ${BLOCKS.filter(wrong).map((b) => LETTER[b]).join(", ") || "nothing, with this network"}.` : "The backward pass as it is: every block agrees.";
  }

  views.check = {
    show() {
      parts = { plot: el("div"), told: el("div", { "aria-live": "polite" }), blocks: el("div", { class: "blocks" }), mistake: el("p", { "aria-live": "polite" }) };
      const select = el("select", { "aria-label": "a mistake in the backward pass", onchange: () => { seeded = select.value; again(); } },
        el("option", { value: "" }, "none"), MISTAKES.map(({ name }) => el("option", { value: name }, name)));
      select.value = seeded;
      fill(document.querySelector("#view-check .stage"),
        el("div", { class: "controls" }, slider("ε", { min: -15, max: -1, step: 1, get: () => log, set: (v) => { log = v; again(); }, text: () => power(log) })),
        el("div", { class: "two" }, el("div", {}, parts.plot, el("p", { class: "key" }, el("span", { class: "line-line" }, "central difference"), el("span", { class: "line-real" }, "complex step"))), parts.told),
        el("h3", {}, "Would a mistake be found?"),
        el("div", { class: "controls" }, el("label", {}, "mistake in the backward pass ", select)), parts.mistake, parts.blocks,
        el("p", { class: "note" }, `The mean loss of two examples: yours, and x = (${OTHER.x.map((v) => show(v)).join(", ")}) with y = ${OTHER.y[0]}. x here is what gradcheck calls the table L.`));
      again();
    },
  };
}
