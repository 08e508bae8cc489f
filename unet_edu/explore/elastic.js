// The elastic explorer in the browser: it shows the net that Python drew, and says where the reader put a knot, by mouse or by key.

function render({ model, el }) {
  let dragged = null, busy = false, next = null, count = 0;
  const knots = () => [...el.querySelectorAll("[data-knot]")];
  const paint = () => {
    const focused = el.contains(el.getRootNode().activeElement) ? el.getRootNode().activeElement.dataset.knot : null;
    el.innerHTML = model.get("scene").html;
    for (const knot of knots()) knot.setAttribute("data-lm-suppress-shortcuts", "true");  // or JupyterLab takes the arrow keys
    if (focused !== null) el.querySelector(`[data-knot="${focused}"]`)?.focus({ preventScroll: true });
    busy = false;
    if (next) send(next);
  };
  const send = edit => {  // one at a time: a slow connection must not be left behind by a fast mouse
    if (busy) { next = edit; return; }
    next = null;
    busy = true;
    model.set("edit", { ...edit, count: ++count });  // counted, so that the same place twice is two events
    model.save_changes();
  };
  const place = event => {
    const { margin, side, homes } = model.get("scene");
    const box = el.querySelector("img").getBoundingClientRect();
    const pixels = (side + 2 * margin) / box.width;
    const [row, column] = homes[dragged];
    return { knot: dragged, down: (event.clientY - box.top) * pixels - margin - 0.5 - row,
             right: (event.clientX - box.left) * pixels - margin - 0.5 - column };
  };
  el.addEventListener("pointerdown", event => {
    const knot = event.target.closest("[data-knot]");
    if (!knot) return;
    event.preventDefault();
    dragged = Number(knot.dataset.knot);
    knot.focus({ preventScroll: true });
    el.setPointerCapture(event.pointerId);  // of the root: the knots are drawn anew while the mouse moves
  });
  el.addEventListener("pointermove", event => { if (dragged !== null) send(place(event)); });
  for (const end of ["pointerup", "pointercancel"]) el.addEventListener(end, () => { dragged = null; });
  el.addEventListener("keydown", event => {
    const knot = event.target.closest("[data-knot]");
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!knot || !step) return;
    event.preventDefault();
    event.stopPropagation();
    if (busy) return;  // a held key must not add up steps that are not shown yet
    const n = Number(knot.dataset.knot), [down, right] = model.get("scene").vectors[n];
    send({ knot: n, down: down + step[0], right: right + step[1] });
  });
  model.on("change:scene", paint);
  paint();
}
export default { render };
