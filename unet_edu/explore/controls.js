// The controls of an explorer that computes in the page, and the state that they change. Which there are is said by the fields of the
// state in Python (fields.py, `described`): the first three are seen, the others stand behind "more".
//
//   controls(root, fields, state, problem, onState) → { change(changes) }
//
// `problem(state, name)` says in words why a state cannot be, or ""; `name` is the field that the reader wants to change. A slider stops
// before such a value, a menu does not offer it, and the reason is said. `onState(state)` is called after each change; `change` makes
// one, as when a reader has typed into a cell.

import { add, quiet } from "./dom.js";

const FIRST = 3; // what a reader takes in at a glance
const OWN = "your own";

export function controls(root, fields, state, problem, onState) {
  root.classList.add("unet-controls");
  const reason = document.createElement("p");
  const made = [];
  const why = (name, value) => (problem(state) ? "" : problem({ ...state, [name]: value }, name)); // out of what cannot be, each way is open

  function change(changes, words = "") {
    state = { ...state, ...changes };
    show(words);
    onState(state);
  }

  function show(words) {
    made.forEach((follow) => follow());
    reason.textContent = words;
  }

  const makers = { slider, menu, checkbox };
  let box = add(root, "div", { class: "bar" });
  fields.forEach((field, n) => {
    if (n === FIRST) {
      const more = add(root, "details");
      quiet(add(more, "summary", {}, `more: ${fields.slice(FIRST).map((field) => field.label).join(", ")}`));
      box = add(more, "div", { class: "bar" });
    }
    made.push(makers[field.kind](field));
  });
  root.append(reason);
  reason.className = "reason";
  reason.setAttribute("role", "status");

  // Each maker returns a function that brings its control in step with the state.

  function slider({ name, label, low, high, step }) {
    const line = add(add(box, "span", { class: "control" }), "label", {}, label);
    const input = quiet(add(line, "input", { type: "range", min: low, max: high, step, "data-key": name }));
    const value = add(line.parentNode, "output");
    const limit = (from, by) => {
      while (from + by >= low && from + by <= high && !why(name, from + by)) from += by;
      return (100 * (from - low)) / (high - low);
    };
    input.addEventListener("input", () => {
      const wanted = Number(input.value);
      const back = wanted > state[name] ? -step : step;
      let nearest = wanted;
      while (nearest !== state[name] && why(name, nearest)) nearest += back;
      const words = nearest === wanted ? "" : why(name, wanted);
      if (nearest === state[name]) show(words);
      else change({ [name]: nearest }, words);
    });
    return () => {
      input.value = value.textContent = state[name];
      input.style.setProperty("--least", `${limit(state[name], -step)}%`); // what cannot be is hatched
      input.style.setProperty("--most", `${limit(state[name], step)}%`);
    };
  }

  function menu({ name, label, options }) {
    const select = quiet(add(add(box, "label", { class: "control" }, label), "select", { "data-key": name }));
    const same = (value) => JSON.stringify(value) === JSON.stringify(state[name]);
    for (const [words] of options) add(select, "option", {}, words);
    const own = add(select, "option", {}, OWN); // a value that the reader made
    select.addEventListener("change", () => change({ [name]: options[select.selectedIndex][1] }));
    return () => {
      options.forEach(([words, value], n) => {
        const problem = same(value) ? "" : why(name, value);
        select.options[n].disabled = Boolean(problem);
        select.options[n].textContent = problem ? `${words} (${problem})` : words;
      });
      const chosen = options.findIndex(([, value]) => same(value));
      own.hidden = own.disabled = chosen >= 0;
      select.selectedIndex = chosen >= 0 ? chosen : options.length;
    };
  }

  function checkbox({ name, label }) {
    const line = add(box, "label", { class: "control" });
    const input = quiet(add(line, "input", { type: "checkbox", "data-key": name }));
    line.append(label);
    input.addEventListener("change", () => {
      const words = why(name, input.checked);
      if (words) show(words);
      else change({ [name]: input.checked });
    });
    return () => {
      input.checked = state[name];
    };
  }

  show("");
  return { change };
}
