// View "forward": x, W, b and u can be dragged. The results are hidden until the reader has predicted how p
// changes.
{
  let ask = true, covered = false, before = null, moved = "", verdict = "";
  const GIVEN = ["x", "W", "b", "u"];
  const given = (name) => GIVEN.includes(name[0]);

  function setter(name) {
    const [letter, i, j] = name;
    return (v) => {
      if (ask && !covered) { before = worked().p[0]; covered = true; verdict = ""; }
      if (letter === "W") net.W[i][j] = v;
      if (letter === "u") net.U[0][i] = v;
      if (letter === "b") net.b[i] = v;
      if (letter === "x") example.x[i] = v;
      moved = name;
      again();
    };
  }

  function answer(guess) {
    const p = worked().p[0], change = p - before;
    const real = Math.abs(change) < 5e-5 ? "stays" : change > 0 ? "rises" : "falls";
    covered = false;
    verdict = `${guess === real ? "Right" : "Not this time"}: p ${real}, from ${show(before)} to ${show(p)}.`;
    again();
  }

  let parts, bring;
  function again() {
    const w = worked();
    bring();
    const v = (value) => (covered ? el("span", { class: "value" }, "?") : forwards(value));
    const sum = (row, values, extra) => row.map((a, j) => [j ? " + " : "", `${j ? factor(a) : show(a)}·${factor(values[j])}`]).flat().concat(extra);
    fill(parts.steps,
      UNITS.map((i) => line(`z${low(i + 1)} = `, sum(net.W[i], example.x, [" + ", factor(net.b[i])]), " = ", v(w.z[i]),
        el("br"), `h${low(i + 1)} = ${{ tanh: "tanh", logistic: "σ", relu: "max(0, ·)" }[net.activation]}(z${low(i + 1)}) = `, v(w.h[i]))),
      line("s = ", covered ? [`${show(net.U[0][0])}·h₁ + ${factor(net.U[0][1])}·h₂`] : sum(net.U[0], w.h, []), " = ", v(w.s[0]), el("br"),
        "p = 1 / (1 + e", el("sup", {}, "−s"), ") = ", v(w.p[0]), el("br"),
        `J = −log ${example.y[0] ? "p" : "(1 − p)"} = `, v(w.J)));
    fill(parts.guess, covered ? [el("p", {}, `You changed ${NODES.find((n) => n.name === moved).label}. Before you look: p was ${show(before)}. Now it …`),
      el("div", { class: "choice" }, button("rises", () => answer("rises")), button("falls", () => answer("falls")), button("stays the same", () => answer("stays")))]
      : el("p", {}, verdict || (ask ? "Drag a number in a blue frame sideways, or choose it and press the arrow keys." : "All results follow as you drag.")));
  }

  views.forward = {
    show() {
      const stage = document.querySelector("#view-forward .stage");
      parts = { graph: el("div"), guess: el("div", { class: "guess", "aria-live": "polite" }), steps: el("div", { class: "steps" }) };
      const predict = el("input", { type: "checkbox", onchange: () => { ask = predict.checked; covered = false; verdict = ""; again(); } });
      predict.checked = ask;
      fill(stage,
        el("div", { class: "controls" },
          el("label", {}, predict, " predict first"),
          el("span", { class: "pair" }, "right answer", choice("the right answer y", [[1, "y = 1"], [0, "y = 0"]], () => example.y[0], (v) => { example.y[0] = v; again(); })),
          el("span", { class: "pair" }, "f", choice("the activation f", [["tanh", "tanh"], ["logistic", "σ"], ["relu", "ReLU"]], () => net.activation, (v) => { net.activation = v; again(); })),
          button("The lesson’s numbers", () => { restart(); covered = false; verdict = ""; views.forward.show(); })),
        parts.guess, parts.graph, parts.steps);
      const describe = (name, digits) => {
        const value = valueOf(name, worked());
        const hidden = covered && !given(name);
        return { value: hidden ? "?" : show(value, digits), state: given(name) ? "ready" : hidden ? "closed" : "",
          gradient: name === "J" && !hidden ? `p = ${show(worked().p[0], 3)}` : "", extra: true };
      };
      bring = graph(parts.graph, describe, (name, element) => given(name) && draggable(element, {
        label: NODES.find((n) => n.name === name).label, by: name[0] === "x" ? 0.5 : 0.1,
        get: () => valueOf(name, worked()), set: setter(name),
      }));
      again();
    },
  };
}
