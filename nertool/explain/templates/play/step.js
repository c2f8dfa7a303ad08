// View "step": J after a step against α, exact and to first order; and J over several steps.
{
  let log = -2, two = false, moved = null, history = [], shape = "", parts;
  const alpha = () => Number((10 ** log).toPrecision(2));
  const batch = () => (two ? [example, OTHER] : [example]);
  const here = () => moved || net;
  const norm2 = (g) => [g.W, g.b, g.U].flat(3).reduce((sum, v) => sum + v * v, 0);

  function again() {
    const g = gradients(here(), batch()), J = meanLoss(here(), batch()), slope = norm2(g);
    const real = (a) => meanLoss(step(here(), g, a), batch());
    const a = alpha(), first = J - a * slope, fact = real(a);
    // The plot ends a little beyond α: a smaller range shows a straighter curve.
    const end = [0.005, 0.02, 0.05, 0.2, 0.5, 2, 5].find((v) => v >= 1.25 * a) || 15;
    const grid = Array.from({ length: 161 }, (_, i) => (end * i) / 160);
    const top = Math.max(1, J * 1.3, Math.min(4, Math.max(...grid.map(real)) * 1.1));
    fill(parts.curve, plot(widthOf(parts.curve, 520), 290, {
      x: { from: 0, to: end, ticks: [0, 1, 2, 3, 4].map((i) => (i * end) / 4), label: "α" },
      y: { from: -top * 0.35, to: top, ticks: [0, 1, 2, 3, 4].filter((v) => v <= top).concat(top < 1.4 ? [0.5] : []), label: "J after the step" },
      curves: [{ points: grid.map((v) => [v, J - v * slope]), kind: "line" }, { points: grid.map((v) => [v, real(v)]), kind: "real" }],
      marks: [{ x: a, y: first, kind: "there" }, { x: a, y: fact, kind: "here" }],
      label: `J after a step against α: in fact ${show(fact)}, to first order ${show(first)}`,
    }));
    fill(parts.numbers, table(["α", "J now", "‖∂J/∂θ‖²", "J, first order", "J, in fact"],
      [[show(a), show(J), show(slope), el("span", { class: first < 0 ? "bad" : "" }, show(first)), el("b", { class: fact > J ? "bad" : "" }, show(fact))]], { label: "one step" }));
    fill(parts.rule, "J − α ‖∂J/∂θ‖² = ", show(J), " − ", show(a), " · ", show(slope), " = ", show(first));
    parts.told.textContent = first < 0 ? "The straight line promises a J below 0. J is never negative: here the slope says nothing any more."
      : fact > J ? "J rises. The step went too far: the slope holds near the point only."
        : Math.abs(fact - first) < 0.02 * Math.max(J, 0.02) ? "The line and the curve agree: the step is small enough for the slope to hold."
          : "The line and the curve part: the larger α, the less of what the slope promises comes true.";
    const points = [...history, J].map((v, i) => [i, v]);
    const most = Math.max(10, points.length - 1), high = Math.max(1, ...points.map((p) => p[1])) * 1.1;
    fill(parts.history, plot(widthOf(parts.history, 520), 200, {
      x: { from: 0, to: most, ticks: [0, most / 2, most].map(Math.round), label: "steps" },
      y: { from: 0, to: high, ticks: high > 2.2 ? [0, 1, 2, 3].filter((v) => v < high) : [0, 0.5, 1, 1.5].filter((v) => v < high), label: "J" },
      curves: [{ points, kind: "real" }], marks: points.map(([x, y]) => ({ x, y, kind: "dot" })),
      label: `J after each of ${points.length - 1} steps: ${points.slice(-5).map((p) => show(p[1])).join(", ")}`,
    }));
    parts.many.textContent = history.length ? `${history.length} ${history.length === 1 ? "step" : "steps"}: J went from ${show(history[0])} to ${show(J)}.` : "No step taken yet.";
  }

  function take(times_) {
    for (let i = 0; i < times_; i++) {
      history.push(meanLoss(here(), batch()));
      moved = step(here(), gradients(here(), batch()), alpha());
    }
    again();
  }
  function back() { moved = null; history = []; again(); }

  views.step = {
    show() {
      parts = { curve: el("div"), numbers: el("div"), rule: line(), told: el("p", { "aria-live": "polite" }), history: el("div"), many: el("span", { class: "note", "aria-live": "polite" }) };
      const now = JSON.stringify([net, example]);
      if (now !== shape) { shape = now; moved = null; history = []; }
      fill(document.querySelector("#view-step .stage"),
        el("div", { class: "controls" },
          slider("α", { min: -3, max: 1, step: 0.05, get: () => log, set: (v) => { log = v; again(); }, text: () => show(alpha()) }),
          el("span", { class: "pair" }, "examples", choice("how many examples", [[false, "one"], [true, "two that disagree"]], () => two, (v) => { two = v; back(); }))),
        el("div", { class: "two" }, el("div", {}, parts.curve, el("p", { class: "key" }, el("span", { class: "line-real" }, "J in fact"), el("span", { class: "line-line" }, "to first order: a straight line"))),
          el("div", {}, parts.numbers, parts.rule, parts.told)),
        el("h3", {}, "Step after step: θ ← θ − α ∂J/∂θ"),
        el("div", { class: "controls" }, button("Take a step", () => take(1), { class: "main" }), button("Take ten", () => take(10)), button("Back to the start", back), parts.many),
        parts.history);
      again();
    },
  };
}
