// J for complex numbers [re, im]. The complex step, ∂J/∂θ = Im J(θ + iε) / ε, has no subtraction, which would
// lose digits. For logistic outputs, as in nertool/gradcheck/reference.py.
const C = (v) => (Array.isArray(v) ? v : [v, 0]);
const add = (v, w) => [v[0] + w[0], v[1] + w[1]];
const mul = (v, w) => [v[0] * w[0] - v[1] * w[1], v[0] * w[1] + v[1] * w[0]];

function complexTanh([re, im]) {
  const bottom = Math.cosh(2 * re) + Math.cos(2 * im);
  return [Math.sinh(2 * re) / bottom, Math.sin(2 * im) / bottom];
}

function complexSigma([re, im]) {
  const t = complexTanh([re / 2, im / 2]);
  return [(1 + t[0]) / 2, t[1] / 2];
}

const COMPLEX = {
  tanh: complexTanh,
  logistic: complexSigma,
  relu: (z) => (z[0] > 0 ? z : [0, 0]),
  hard_tanh: (z) => (Math.abs(z[0]) < 1 ? z : [Math.sign(z[0]), 0]),
};

// log(1 + e^s) = max(s, 0) + log(1 + e^−|s|), where the real part of s determines the sign.
function complexSoftplus(s) {
  const [re, im] = s[0] > 0 ? [-s[0], -s[1]] : s;
  const e = [Math.exp(re) * Math.cos(im), Math.exp(re) * Math.sin(im)];
  const log = [0.5 * Math.log1p(2 * e[0] + e[0] * e[0] + e[1] * e[1]), Math.atan2(e[1], 1 + e[0])];
  return s[0] > 0 ? add(log, s) : log;
}

function complexMeanLoss({ W, b, U, activation }, batch) {
  const product = (row, v) => row.reduce((sum, w, j) => add(sum, mul(C(w), C(v[j]))), [0, 0]);
  let J = [0, 0];
  for (const { x, y } of batch) {
    const h = W.map((row, i) => COMPLEX[activation](add(product(row, x), C(b[i]))));
    U.forEach((row, k) => {
      const s = product(row, h);
      J = add(J, add(complexSoftplus(s), [-y[k] * s[0], -y[k] * s[1]]));
    });
  }
  return [J[0] / batch.length, J[1] / batch.length];
}
