// View "questions": ten questions. Each has answers, the index of the right one, a reason, and a view that
// shows it; `set` changes the network or the example for this view.
{
  const QUESTIONS = [
    { ask: "W₁₃ is 0. What is ∂J/∂W₁₃ in the lesson’s network?", answers: ["0, since the weight does nothing", "−3.84", "It can’t be known"], right: 1,
      why: "∂J/∂W₁₃ = δ₁ x₃ = −1.28 · 3 = −3.84, the largest of all. A gradient says what a change would do, not what a weight does.", view: "matrices" },
    { ask: "You call the other answer right: y = 0 in place of 1, where p = ½. What happens to δ?", answers: ["It turns its sign", "It becomes 0", "Nothing: δ belongs to W"], right: 0,
      why: "p − y was −½ and is now ½. Every gradient has it as a factor, so all of them turn their signs.", view: "backward", set: () => { example.y = [0]; } },
    { ask: "Unit 1 is saturated: b₁ is so large that h₁ = 0.9999. What does row 1 of ∂J/∂W look like?", answers: ["Very large", "Nearly 0", "As before"], right: 1,
      why: "f′(z₁) = 1 − h₁² = 0.0002, and δ₁ has it as a factor. A saturated unit hardly learns.", view: "backward", set: () => { net.b[0] = 5; } },
    { ask: "In a check only L (here: x) is red; W, b and u agree. Where is the mistake?", answers: ["In p − y", "In δ", "After δ, on the way to the words"], right: 2,
      why: "W, b and u are made from δ and ∂J/∂s. If these agree, δ is right; what is left is Wᵀδ, and the way into the rows. “transposed W” does this.", view: "check" },
    { ask: "x₁ reaches J through both units. How do the two gradients make one?", answers: ["They are added", "They are multiplied", "The larger counts"], right: 0,
      why: "If x₁ moves, both units move, and J feels both: −1.28 · 2 + (−0.54) · 1 = −3.1.", view: "backward" },
    { ask: "u = (0, 0). Which of W, b and u does the first step change?", answers: ["All", "u alone", "W and b alone"], right: 1,
      why: "∂J/∂h = u (p − y) = 0, so δ = 0, and W, b and x get nothing. ∂J/∂u = (p − y) h is not 0. After that step u is not 0 either.", view: "backward", set: () => { net.U = [[0, 0]]; } },
    { ask: "∂J/∂b₁ = δ₁, with no further factor. Why?", answers: ["b is small", "By convention", "The local derivative ∂z₁/∂b₁ is 1"], right: 2,
      why: "z₁ = … + b₁. A sum passes its gradient on unchanged.", view: "matrices" },
    { ask: "You halve an ε that is large. By which factor does the error of the central difference fall?", answers: ["2", "4", "It doesn’t"], right: 1,
      why: "Its error is of order ε². The line in the picture climbs two powers of ten for each power of ε.", view: "check" },
    { ask: "You make α ten times as large. Does J fall ten times as much?", answers: ["Always", "Only while α is small", "Never"], right: 1,
      why: "To first order J falls by α ‖∂J/∂θ‖². With α = 0.1 that would make J negative, and it never is: the slope holds near the point only.", view: "step" },
    { ask: "The window is “that, that, is”. What does the row of “that” in L get?", answers: ["The gradient of the last one", "The mean of both", "The sum of both"], right: 2,
      why: "It is used in two places, so it gets the sum, as x₁ does. Each piece of ∂J/∂x goes to the row that it came from.", view: "real" },
  ];
  const given = QUESTIONS.map(() => null);
  const NAMES = { matrices: "Matrices", backward: "Backward", check: "Check", step: "Step", real: "Real" };

  function card(q, n) {
    const box = el("li", { class: "question" });
    const render = () => {
      const done = given[n] !== null;
      fill(box, el("p", {}, el("strong", {}, q.ask)),
        el("div", { class: "choice" }, q.answers.map((text, i) => button(text, () => { given[n] = i; render(); box.querySelectorAll("button")[i].focus(); told(); },
          { "aria-pressed": given[n] === i, class: done && i === q.right ? "yes" : done && i === given[n] ? "no" : "" }))),
        el("p", { "aria-live": "polite", class: "why" }, done ? [el("strong", {}, given[n] === q.right ? "Yes. " : "No. "), q.why] : ""),
        done && views[q.view] ? button(`See it in ${NAMES[q.view]}`, () => { restart(); if (q.set) q.set(); go(q.view, true); scrollTo(0, 0); }) : null);
    };
    render();
    return box;
  }
  const count = el("p", { class: "note", "aria-live": "polite" });
  const told = () => { count.textContent = `${given.filter((g) => g !== null).length} of ${QUESTIONS.length} answered, ${given.filter((g, n) => g === QUESTIONS[n].right).length} right.`; };

  views.questions = {
    show() {
      told();
      fill(document.querySelector("#view-questions .stage"), count, el("ol", { class: "questions" }, QUESTIONS.map(card)));
    },
  };
}
