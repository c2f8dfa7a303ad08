// The arithmetic of this page, in the notation of docs/mathematics.md. For one example:
// x (D);  W (H × D);  b, z, h, δ (H);  U (K × H);  s, p, y (K);  J, a number.
// A matrix is an array of rows. A gradient has the shape of its parameter.
"use strict";

const dot = (a, b) => a.reduce((sum, v, i) => sum + v * b[i], 0);
const plus = (a, b) => a.map((v, i) => v + b[i]);
const times = (A, v) => A.map((row) => dot(row, v)); // A v
const transposed = (A) => A[0].map((_, j) => A.map((row) => row[j])); // Aᵀ
const outer = (a, b) => a.map((v) => b.map((w) => v * w)); // a bᵀ
const sigma = (s) => (1 + Math.tanh(s / 2)) / 2; // 1 / (1 + e^−s), without overflow

// f, and f′(z) computed from h = f(z), which the forward pass has stored.
const ACTIVATIONS = {
  tanh: { f: Math.tanh, prime: (h) => 1 - h * h },
  logistic: { f: sigma, prime: (h) => h * (1 - h) },
  relu: { f: (z) => Math.max(z, 0), prime: (h) => (h > 0 ? 1 : 0) },
  hard_tanh: { f: (z) => Math.max(-1, Math.min(z, 1)), prime: (h) => (Math.abs(h) < 1 ? 1 : 0) },
};

function forward({ W, b, U, activation }, x) {
  const z = plus(times(W, x), b); // z = W x + b
  const h = z.map(ACTIVATIONS[activation].f); // h = f(z), element by element
  return { x, z, h, s: times(U, h) }; // s = U h
}

// p, the loss J, and the first gradient of the backward pass: ∂J/∂s = p − y.
function loss(output, s, y) {
  const top = output === "softmax" ? Math.max(...s) : 0;
  const e = s.map((v) => Math.exp(v - top));
  const total = e.reduce((sum, v) => sum + v, 0);
  const p = output === "softmax" ? e.map((v) => v / total) : s.map(sigma);
  const J = output === "softmax" ? top + Math.log(total) - dot(y, s)
    : s.reduce((sum, v, k) => sum + Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))) - y[k] * v, 0);
  return { p, J, ds: p.map((v, k) => v - y[k]) };
}

// All gradients from ds = ∂J/∂s. δ is computed once and used three times.
function backward({ W, U, activation }, { x, h }, ds, prime = ACTIVATIONS[activation].prime) {
  const dh = times(transposed(U), ds); // ∂J/∂h = Uᵀ ∂J/∂s
  const slope = h.map((v, i) => prime(v, i)); // f′(z)
  const delta = dh.map((v, i) => v * slope[i]); // δ = ∂J/∂z = ∂J/∂h ∘ f′(z)
  return { ds, dh, slope, delta, W: outer(delta, x), b: delta, U: outer(ds, h), x: times(transposed(W), delta) };
}

// θ ← θ − α ∂J/∂θ, for W, b and U.
function step(net, gradient, alpha) {
  const less = (M, G) => M.map((v, i) => (Array.isArray(v) ? less(v, G[i]) : v - alpha * G[i]));
  return { ...net, W: less(net.W, gradient.W), b: less(net.b, gradient.b), U: less(net.U, gradient.U) };
}

// A batch: J is the mean over its B examples [{x, y}], so ∂J/∂s has a factor 1/B. The gradient of x has a row
// for each example.
function meanLoss(net, batch) {
  return batch.reduce((sum, { x, y }) => sum + loss(net.output, forward(net, x).s, y).J, 0) / batch.length;
}

function gradients(net, batch, back = backward) {
  const kept = batch.map(({ x }) => forward(net, x));
  const sum = (A, B) => A.map((v, i) => (Array.isArray(v) ? sum(v, B[i]) : v + B[i]));
  const each = batch.map(({ y }, n) => {
    const ds = loss(net.output, kept[n].s, y).ds.map((v) => v / batch.length);
    return back(net, kept[n], ds, undefined, kept, n);
  });
  const total = (name) => each.map((g) => g[name]).reduce(sum);
  return { W: total("W"), b: total("b"), U: total("U"), x: each.map((g) => g.x) };
}
