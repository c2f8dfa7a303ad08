// View "real": a trained model's numbers for a sentence. The arithmetic is the same, with more units and a
// longer x.
{
  const real = DATA.real;
  const floats = (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), view_ = new DataView(bytes.buffer);
    return Array.from({ length: bytes.length / 4 }, (_, i) => view_.getFloat32(4 * i, true));
  };
  const rows = (flat, width) => Array.from({ length: flat.length / width }, (_, i) => flat.slice(i * width, (i + 1) * width));
  let model = null, word = 0, target = 0, unit = null, parts;

  function load() {
    model = { W: rows(floats(real.W), real.width), b: floats(real.b), U: rows(floats(real.U), real.units.length), activation: real.activation, output: real.output };
    word = real.words.findIndex((w) => w.token === real.token);
    for (const w of real.words) { w.x = floats(w.x); w.rest = floats(w.rest); }
    target = found(result(word).s);
  }

  // The page may have only the units with the largest δ. `rest` is the contribution of the others to each score.
  function result(at) {
    const kept = forward(model, real.words[at].x);
    return { ...kept, s: plus(kept.s, real.words[at].rest) };
  }
  const tagScores = (s) => (s.length < real.tags.length ? [0, ...s] : s); // one output has no score for O
  const found = (s) => tagScores(s).indexOf(Math.max(...tagScores(s)));
  const tagProbability = (p, t) => (p.length < real.tags.length ? [1 - p[0], ...p] : p)[t];
  const rightAnswer = () => real.tags.map((_, t) => Number(t === target)).slice(real.tags.length - model.U.length);
  const tagName = (k) => real.tags[real.tags.length - model.U.length + k];
  const pieces = () => { let at = 0; return real.words[word].pieces.map(({ text, width }) => ({ text, from: at, to: (at += width) })); };

  // For the tests: all numbers of one word, to compare with those of nertool explain.
  window.realSteps = (at, t) => {
    if (!model) load();
    [word, target] = [at, t];
    const kept = result(at), end = loss(real.output, kept.s, rightAnswer());
    return { ...kept, ...end, gradient: backward(model, kept, end.ds) };
  };

  function again() {
    const kept = result(word), end = loss(real.output, kept.s, rightAnswer()), g = backward(model, kept, end.ds);
    const order = g.delta.map((_, i) => i).sort((a, b) => Math.abs(g.delta[b]) - Math.abs(g.delta[a])).slice(0, 8);
    if (!order.includes(unit)) unit = order[0];
    const says = found(kept.s);
    fill(parts.sentence, real.sentence.map((text, token) => {
      const at = real.words.findIndex((w) => w.token === token);
      return button(text, () => { word = at; target = found(result(at).s); unit = null; again(); parts.sentence.children[token].focus(); }, { "aria-pressed": at === word && at >= 0, disabled: at < 0, class: "word" });
    }));
    fill(parts.answer, "the right answer is ", answers(says));
    const classes = end.p.map((_, k) => k).sort((a, b) => Math.abs(end.ds[b]) - Math.abs(end.ds[a])).slice(0, 6);
    fill(parts.scores, el("p", {}, `The network says ${real.tags[says]} here, p = ${show(tagProbability(end.p, says))}. For the answer that you call right, J = ${show(end.J)}.`),
      table(["class", "s", "p", "y", "∂J/∂s = p − y"], classes.map((k) => [tagName(k), show(kept.s[k]), show(end.p[k]), String(rightAnswer()[k]), el("span", { class: "gradient" }, show(end.ds[k]))]), { label: "classes" }));
    fill(parts.units, table(["unit", "δ = ∂J/∂z", "upstream ∂J/∂h", "× f′(z)", "z", "h"], order.map((i) => Object.assign([
      button(String(real.units[i]), () => { unit = i; again(); parts.units.querySelector(`[data-unit="${i}"]`).focus(); }, { "aria-pressed": i === unit, "data-unit": i, "aria-label": `unit ${real.units[i]}` }),
      el("b", { class: "gradient" }, show(g.delta[i])), el("span", { class: "gradient" }, show(g.dh[i])), show(g.slope[i]), forwards(kept.z[i]), forwards(kept.h[i])],
    { attributes: { class: i === unit ? "lit" : "" } })), { label: "units by the size of δ" }));
    oneUnit(kept, g);
    words(kept, g, end);
  }

  function answers(says) {
    const select = el("select", { "aria-label": "the right answer y", onchange: () => { target = Number(select.value); again(); parts.answer.querySelector("select").focus(); } },
      real.tags.map((tag, t) => el("option", { value: t }, t === says ? `${tag} (what it says)` : tag)));
    select.value = target;
    return select;
  }

  const bar = (value, most) => el("span", { class: `bar ${value < 0 ? "minus" : "plus"}`, style: `width: ${most ? (6 * Math.abs(value)) / most : 0}rem` });

  function oneUnit(kept, g) {
    const x = kept.x, row = model.W[unit], name = low(real.units[unit]);
    const shares = pieces().map(({ text, from, to }) => [text, dot(row.slice(from, to), x.slice(from, to))]);
    const most = Math.max(...shares.map(([, v]) => Math.abs(v)));
    const j = x.reduce((best, v, i) => (Math.abs(v) > Math.abs(x[best]) ? i : best), 0);
    fill(parts.unit, el("h3", {}, `Unit ${real.units[unit]}: where its z comes from`),
      table(["", `part of z${name}`, ""], shares.map(([text, v]) => [text, show(v), bar(v, most)]).concat([["b", show(model.b[unit]), ""]]), { foot: [["sum", show(kept.z[unit]), ""]], label: "parts of z" }),
      line(`∂J/∂W, row ${real.units[unit]} = δ${name} xᵀ. Its largest entry is column ${j}: `, backwards(g.delta[unit]), " · ", el("span", { class: "value" }, factor(x[j])), " = ", backwards(g.delta[unit] * x[j])));
  }

  function words(kept, g, end) {
    const alpha = real.alpha, x = kept.x.map((v, i) => v - alpha * g.x[i]);
    const moved = forward(model, x), J = loss(real.output, plus(moved.s, real.words[word].rest), rightAnswer()).J;
    const norms = pieces().map(({ from, to }) => Math.hypot(...g.x.slice(from, to)));
    const some = (values) => `${values.map((v) => show(v, 3)).join("  ")} …`;
    fill(parts.words, table(["", "‖∂J/∂x‖", "", "its vector", "after the step"], pieces().map(({ text, from }, c) => [text, show(norms[c]), bar(norms[c], Math.max(...norms)),
      el("span", { class: "value" }, some(kept.x.slice(from, from + 3))), some(x.slice(from, from + 3))]), { label: "the words’ vectors" }),
    line(`x ← x − ${show(alpha)} ∂J/∂x. With this alone, J goes from `, forwards(end.J), " to ", forwards(J), "."),
    el("p", { class: "note" }, "Word vectors are parameters like W. They stand in a table L, a row a word; x is copied from its rows. So each piece of ∂J/∂x, times α, is subtracted from the row that it came from, and the next sentence with this word reads the moved vector: with that, the network leans a little more to the right answer. A word that stands in the window twice gets both pieces.",
      real.left ? ` The page holds ${real.units.length} of ${real.units.length + real.left} units, those with the largest δ; ∂J/∂x is what comes back through these.` : ""));
  }

  views.real = {
    show() {
      if (!model) load();
      parts = { sentence: el("div", { class: "sentence" }), answer: el("label", { class: "controls" }), scores: el("div"), units: el("div"), unit: el("div"), words: el("div", { class: "words" }) };
      fill(document.querySelector("#view-real .stage"), parts.sentence, parts.answer, parts.scores,
        el("div", { class: "two units" }, el("div", {}, el("h3", {}, "The units with the largest ", el("span", { class: "whole" }, "|δ|")), parts.units), parts.unit), el("h3", {}, "∂J/∂x, cut into the words’ pieces"), parts.words);
      again();
    },
  };
}
