// Known mistakes of a backward pass, with the names of nertool/gradcheck/mistakes.py: those that are possible
// in a small network without dropout, L2 and word tables. spoils: the blocks whose gradients become wrong.
const rolled = (a, by) => a.map((_, i) => a[(i - by + a.length) % a.length]);
const derivative = (net) => ACTIVATIONS[net.activation];
const BELOW = ["x", "W", "b"]; // the blocks whose gradients depend on δ

// f′ of the previous example, as if it had been left in memory.
const stale = (net, kept, n) => (_, i) => derivative(net).prime(rolled(kept, 1)[n].h[i]);

// A matrix of W's shape with the numbers of Wᵀ, read row by row.
function reread(W) {
  const flat = transposed(W).flat();
  return W.map((row, i) => row.map((_, j) => flat[i * row.length + j]));
}

const MISTAKES = [
  { name: "sign of p − y", what: "∂J/∂s is y − p", spoils: [...BELOW, "U"],
    back: (net, v, ds) => backward(net, v, ds.map((d) => -d)) },
  { name: "missing 1/B", what: "∂J/∂s is summed over the batch, J is a mean", spoils: [...BELOW, "U"],
    back: (net, v, ds, _, kept) => backward(net, v, ds.map((d) => d * kept.length)) },
  { name: "δ without f′", what: "δ = Uᵀ ∂J/∂s", spoils: BELOW,
    back: (net, v, ds) => backward(net, v, ds, () => 1) },
  { name: "f′ at h", what: "f′(h) where f′(z) is meant", spoils: BELOW,
    back: (net, v, ds) => backward(net, v, ds, (h) => derivative(net).prime(derivative(net).f(h))) },
  { name: "f′ of the next unit", what: "f′(z) one unit out of place", spoils: BELOW,
    back: (net, v, ds) => backward(net, v, ds, (_, i) => derivative(net).prime(rolled(v.h, 1)[i])) },
  { name: "stale δ", what: "δ with f′ of another window", spoils: BELOW,
    back: (net, v, ds, _, kept, n) => backward(net, v, ds, stale(net, kept, n)) },
  { name: "stale δ in x alone", what: "the same, and only ∂J/∂x is made from it", spoils: ["x"],
    back: (net, v, ds, _, kept, n) =>
      ({ ...backward(net, v, ds), x: backward(net, v, ds, stale(net, kept, n)).x }) },
  { name: "transposed W", what: "∂J/∂x = W δ", spoils: ["x"],
    back: (net, v, ds) => ({ ...backward(net, v, ds), x: backward({ ...net, W: reread(net.W) }, v, ds).x }) },
  { name: "U moved too early", what: "U takes its step before δ is made", spoils: BELOW,
    back: (net, v, ds) => {
      const right = backward(net, v, ds);
      const early = net.U.map((row, k) => row.map((u, i) => u - 0.01 * right.U[k][i]));
      return { ...backward({ ...net, U: early }, v, ds), U: right.U };
    } },
  { name: "bias forgotten", what: "∂J/∂b = 0", spoils: ["b"],
    back: (net, v, ds) => ({ ...backward(net, v, ds), b: net.b.map(() => 0) }) },
  { name: "bias averaged", what: "∂J/∂b divided by B twice", spoils: ["b"],
    back: (net, v, ds, _, kept) => {
      const right = backward(net, v, ds);
      return { ...right, b: right.b.map((d) => d / kept.length) };
    } },
  { name: "window reversed", what: "∂J/∂x goes to the window's words in the wrong order", spoils: ["x"],
    back: (net, v, ds) => {
      const right = backward(net, v, ds);
      return { ...right, x: [...right.x].reverse() };
    } },
];
