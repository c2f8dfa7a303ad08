// Shared by all views: the small network, the tabs, the colour theme.
const DATA = JSON.parse(document.getElementById("data").textContent);
const copy = (value) => JSON.parse(JSON.stringify(value));
const OTHER = DATA.other; // a second example, for a batch of two
let net = copy(DATA.network), example = copy(DATA.example);

const views = {}; // name → {show()}, which builds or updates the view
let current = null;

function restart() {
  net = copy(DATA.network);
  example = copy(DATA.example);
}

// All values and gradients of the small network for its example.
function worked() {
  const kept = forward(net, example.x);
  const end = loss(net.output, kept.s, example.y);
  return { ...kept, ...end, gradient: backward(net, kept, end.ds) };
}

function open(name, focus = false) {
  if (!views[name]) name = Object.keys(views)[0];
  current = name;
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const chosen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", chosen);
    tab.tabIndex = chosen ? 0 : -1;
    if (chosen && focus) tab.focus();
    document.getElementById(tab.getAttribute("aria-controls")).hidden = !chosen;
  }
  views[name].show();
}

function start() {
  const names = [...document.querySelectorAll("[role=tab]")].map((tab) => tab.id.slice(4));
  document.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
    const at = names.indexOf(current), last = names.length - 1;
    const next = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    go(names[next], true);
  });
  for (const name of names) document.getElementById(`tab-${name}`).addEventListener("click", () => go(name));
  for (const link of document.querySelectorAll("[data-go]"))
    link.addEventListener("click", () => { go(link.dataset.go, true); scrollTo(0, 0); });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = document.getElementById("theme");
  const isDark = () => (document.documentElement.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const name = () => { theme.textContent = isDark() ? "Light" : "Dark"; theme.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colours`); };
  theme.addEventListener("click", () => { document.documentElement.dataset.theme = isDark() ? "light" : "dark"; name(); });
  dark.addEventListener("change", name);
  name();
  addEventListener("hashchange", () => open(location.hash.slice(1)));
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; views[current].show(); } });
  open(location.hash.slice(1));
}

function go(name, focus = false) {
  history.replaceState(null, "", `#${name}`);
  open(name, focus);
}
