// View "matrices": the Jacobians of the chain, and ∂J/∂W as a table. The first three Jacobians are always the
// same.
{
  let end = "x", lit = null, batch = "delta.T @ x", parts;

  const number = (v, attributes = {}) => el("span", attributes, show(v));

  // The last factor: the Jacobian of z with respect to x, b or W.
  function lastFactor() {
    if (end === "x") return [matrix(2, 3, (i, j) => number(net.W[i][j]), "∂z/∂x = W, 2 × 3"), "z_i = Σ_j W_ij x_j + b_i, so ∂z_i/∂x_j = W_ij"];
    if (end === "b") return [matrix(2, 2, (i, j) => (i === j ? "1" : "0"), "∂z/∂b = I, 2 × 2"), "b_i is added to z_i alone, once"];
    return [matrix(2, 6, (i, j) => number(Math.floor(j / 3) === i ? example.x[j % 3] : 0, cell(Math.floor(j / 3), j % 3, "span", i)), "∂z/∂W, 2 × 6"), "row i of W is used by z_i alone, so ∂z_i/∂W_ij = x_j, and all else is 0"];
  }

  // Attributes of an entry that belongs to W_ij: pointing at it highlights its factors.
  function cell(i, j, kind, of = i) {
    const on = lit && lit[0] === i && lit[1] === j && of === i;
    return { class: on ? "lit" : "", onpointerenter: () => { if (of === i) light(i, j); } };
  }
  function light(i, j) {
    if (lit && lit[0] === i && lit[1] === j) return;
    lit = [i, j];
    again();
  }

  function jacobians() {
    const w = worked(), g = w.gradient;
    const [factor_, why] = lastFactor();
    const result = { x: [g.x], b: [g.delta], W: [g.W.flat()] }[end];
    return [
      el("p", {}, "The shaded factors do not depend on what the gradient is for. So their product δ is computed once and kept, and each gradient needs only the last factor."),
      el("div", { class: "product-line scroll", tabindex: 0, role: "region", "aria-label": "the product of the Jacobians" },
        el("span", { class: "same" },
          matrix(1, 1, () => number(w.ds[0]), "∂J/∂s, 1 × 1"), "·", matrix(1, 2, (_, j) => number(net.U[0][j]), "∂s/∂h = uᵀ, 1 × 2"), "·",
          matrix(2, 2, (i, j) => (i === j ? number(g.slope[i]) : "0"), "∂h/∂z = diag f′(z), 2 × 2")),
        "·", factor_),
      el("div", { class: "product-line scroll", tabindex: 0, role: "region", "aria-label": "their product" }, "=", el("span", { class: "same" }, matrix(1, 2, (_, j) => number(g.delta[j], { class: "gradient" }), "δᵀ, 1 × 2")), "·", factor_.cloneNode(true),
        "=", matrix(1, result[0].length, (_, j) => number(result[0][j], { class: "gradient" }), `∂J/∂${end}, a row: 1 × ${result[0].length}`)),
      el("p", { class: "note" }, math(`Why these entries: ${why}. Why diag f′(z) is diagonal: h_i depends on z_i alone.`)),
      el("p", {}, math({ x: "A row of 3. x is a column of 3, so the gradient is written as a column, too: ∂J/∂x = Wᵀ δ.",
        b: "Multiplying by I changes nothing: ∂J/∂b = δ.",
        W: "A row of 6 can’t be subtracted from W, which is 2 × 3. So each entry is put where its W_ij stands: the table below. That is the shape convention." }[end])),
    ];
  }

  function outerProduct() {
    const { delta } = worked().gradient, x = example.x;
    const [a, b] = lit || [];
    const rows = UNITS.map((i) => [
      el("span", { class: i === a ? "lit gradient" : "gradient" }, `δ${low(i + 1)} = ${show(delta[i])}`),
      ...INPUTS.map((j) => el("button", { type: "button", class: `entry ${i === a && j === b ? "lit" : ""}`, "data-entry": `${i}${j}`, onpointerenter: () => light(i, j), onfocus: () => light(i, j),
        "aria-label": `W ${i + 1} ${j + 1}: δ${i + 1} times x${j + 1} is ${show(delta[i] * x[j])}` }, show(delta[i] * x[j]))),
    ]);
    const head = [el("span", { class: "note" }, "∂J/∂W = δ xᵀ"), ...INPUTS.map((j) => el("span", { class: j === b ? "lit value" : "value" }, `x${low(j + 1)} = ${show(x[j])}`))];
    return [el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "the outer product" }, el("div", { class: "outer" }, head, rows)),
      line(...(lit ? [`∂J/∂W${low(a + 1, b + 1)} = δ${low(a + 1)} · x${low(b + 1)} = `, backwards(delta[a]), " · ", el("span", { class: "value" }, factor(x[b])), " = ", backwards(delta[a] * x[b]),
        net.W[a][b] === 0 ? `. W${low(a + 1, b + 1)} itself is 0: the gradient says what a change would do.` : ""] : ["Point at an entry, or reach it with the Tab key: its δ and its x light up."]))];
  }

  // The five matrix products for a batch of two examples, one in each row, as in the code.
  function batches() {
    const both = [example, OTHER], kept = both.map((e) => forward(net, e.x));
    const ds = both.map((e, n) => loss(net.output, kept[n].s, e.y).ds.map((v) => v / 2));
    const delta = both.map((_, n) => backward(net, kept[n], ds[n]).delta);
    const X = both.map((e) => e.x), H = kept.map((k) => k.h);
    const product = (A, B) => A.map((row) => transposed(B).map((column) => dot(row, column)));
    const rows = [
      ["W x", "x @ W.T", "(B, D) (D, H)", X, transposed(net.W), "z − b"],
      ["U h", "h @ U.T", "(B, H) (H, K)", H, transposed(net.U), "s"],
      ["Uᵀ ds", "ds @ U", "(B, K) (K, H)", ds, net.U, "∂J/∂h"],
      ["δ xᵀ, summed", "delta.T @ x", "(H, B) (B, D)", transposed(delta), X, "∂J/∂W"],
      ["Wᵀ δ", "delta @ W", "(B, H) (H, D)", delta, net.W, "∂J/∂x"],
    ];
    const [, , , A, B, name] = rows.find((row) => row[1] === batch);
    const shown = (M, text) => matrix(M.length, M[0].length, (i, j) => show(M[i][j], 3), text);
    return [
      table(["equation, one example", "code, B examples", "shapes"], rows.map(([equation, code, shapes]) => [equation,
        button(code, () => { batch = code; again(); parts.batch.querySelector(`[data-code="${code}"]`).focus(); }, { class: "code", "data-code": code, "aria-pressed": code === batch }), shapes]), { kind: "plain", label: "equations and code" }),
      el("div", { class: "product-line scroll", tabindex: 0, role: "region", "aria-label": `the numbers of ${batch}` }, shown(A, batch.split(" @ ")[0]), "@", shown(B, batch.split(" @ ")[1]), "=", shown(product(A, B), name)),
      el("p", { class: "note" }, `Two examples, B = 2, one in each row: yours, and x = (${OTHER.x.map((v) => show(v)).join(", ")}) with y = ${OTHER.y[0]}. `
        + "J is their mean, so ∂J/∂s = (p − y) / 2. The sum over the examples is hidden in the product: it runs over B."),
    ];
  }

  function again() {
    const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.entry : null;
    fill(parts.jacobians, jacobians());
    fill(parts.outer, outerProduct());
    fill(parts.batch, batches());
    if (focused) parts.outer.querySelector(`[data-entry="${focused}"]`).focus();
  }

  views.matrices = {
    show() {
      parts = { jacobians: el("div"), outer: el("div"), batch: el("div") };
      fill(document.querySelector("#view-matrices .stage"),
        el("div", { class: "controls" }, el("span", { class: "pair" }, "the gradient for", choice("the gradient for", [["x", "x"], ["b", "b"], ["W", "W"]], () => end, (v) => { end = v; again(); }))),
        parts.jacobians, el("h3", {}, "∂J/∂W in W’s shape"), parts.outer, el("h3", {}, "Rows: the same as code, for a batch"), parts.batch);
      again();
    },
  };
}
