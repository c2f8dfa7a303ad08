// View "nudge": y = x², z = 3y. One slider changes x, another the nudge. As the nudge gets smaller, the last
// column approaches the slope.
{
  let x = 2, exponent = 0;
  const curve = (v) => 3 * v * v;
  const nudge = () => 10 ** -exponent;

  function render(parts) {
    const d = nudge(), y = x * x, after = (x + d) ** 2;
    const slope = 6 * x, change = [d, after - y, 3 * after - 3 * y];
    fill(parts.chain,
      el("span", { class: "box" }, "x", el("b", {}, show(x)), el("i", {}, signed(change[0], 5))),
      el("span", { class: "link" }, "× 2x", el("b", {}, show(2 * x))),
      el("span", { class: "box" }, "y = x²", el("b", {}, show(y)), el("i", {}, signed(change[1], 5))),
      el("span", { class: "link" }, "× 3", el("b", {}, "3")),
      el("span", { class: "box" }, "z = 3y", el("b", {}, show(3 * y)), el("i", {}, signed(change[2], 5))));
    fill(parts.numbers, table(["", "before", "after", "change", "÷ nudge"], [
      ["x", show(x, 5), show(x + d, 5), show(change[0], 6), "1"],
      ["y = x²", show(y, 5), show(after, 5), show(change[1], 6), show(change[1] / d, 5)],
      ["z = 3y", show(3 * y, 5), show(3 * after, 5), show(change[2], 6), el("b", {}, show(change[2] / d, 5))],
    ], { label: "before and after the nudge" }));
    fill(parts.rule, "dz/dx = dz/dy · dy/dx = 3 · 2x = 3 · ", factor(2 * x), " = ", el("b", { class: "gradient" }, show(slope)));
    fill(parts.told, slope === 0 ? "Here the curve is flat: a small step changes z hardly at all."
      : `A small step to the right ${slope > 0 ? "raises" : "lowers"} z, ${show(Math.abs(slope))} times as fast as x moves. `
        + `The nudge of ${show(d)} says ${show(change[2] / d, 5)}: off by ${show(Math.abs(change[2] / d - slope), 5)}.`);
    const points = Array.from({ length: 121 }, (_, i) => [-3 + i / 20, curve(-3 + i / 20)]);
    const along = (m) => [[-4, curve(x) + m * (-4 - x)], [4.5, curve(x) + m * (4.5 - x)]];
    fill(parts.plot, plot(widthOf(parts.plot, 520), 300, {
      x: { from: -3.2, to: 4.2, ticks: [-3, -2, -1, 0, 1, 2, 3, 4], label: "x" },
      y: { from: -6, to: 32, ticks: [0, 10, 20, 30], label: "z = 3x²" },
      curves: [{ points, kind: "real" }, { points: along(change[2] / d), kind: "numeric" }, { points: along(slope), kind: "line" }],
      marks: [{ x, y: curve(x), kind: "here" }, { x: x + d, y: curve(x + d), kind: "there" }],
      label: `z = 3x² with its tangent at x = ${show(x)}: slope ${show(slope)}`,
    }));
  }

  views.nudge = {
    show() {
      const stage = document.querySelector("#view-nudge .stage");
      const parts = { chain: el("div", { class: "chain" }), plot: el("div"), numbers: el("div"), rule: line(), told: el("p", { "aria-live": "polite" }) };
      const again = () => render(parts);
      fill(stage,
        el("div", { class: "controls" },
          slider("x", { min: -3, max: 3, step: 0.1, get: () => x, set: (v) => { x = Math.round(v * 10) / 10; again(); }, text: (v) => show(v) }),
          slider("nudge", { min: 0, max: 4, step: 1, get: () => exponent, set: (v) => { exponent = v; again(); }, text: () => show(nudge()) })),
        parts.chain, el("div", { class: "two" }, parts.plot, el("div", {}, parts.numbers, parts.rule, parts.told,
          el("p", { class: "key" }, el("span", { class: "line-real" }, "z"), el("span", { class: "line-numeric" }, "through both points"), el("span", { class: "line-line" }, "the slope itself")))));
      again();
    },
  };
}
