// The elastic explorer in the browser: it shows the net that Python drew, and says where the reader put a knot, by mouse or by key.

function render({ model, el }) {
  let dragged = null, busy = false, next = null, count = 0;

  const paint = () => {
    const active = el.getRootNode().activeElement;
    const focused = el.contains(active) ? active.dataset.knot : undefined;
    el.innerHTML = model.get("scene").html;
    for (const knot of el.querySelectorAll("[data-knot]")) {
      knot.setAttribute("data-lm-suppress-shortcuts", "true"); // or JupyterLab takes the arrow keys
      if (knot.dataset.knot === focused) knot.focus({ preventScroll: true });
    }
    busy = false;
    if (next) move(next.knot, next.down, next.right);
  };

  const move = (knot, ...place) => {
    const { chosen, longest, vectors } = model.get("scene");
    const [down, right] = place.map((way) => Math.round(Math.min(Math.max(way, -longest), longest) * 10) / 10);
    next = busy ? { knot, down, right } : null; // one at a time: a slow connection must not be left behind by a fast mouse
    const isThere = knot === chosen && down === vectors[knot][0] && right === vectors[knot][1];
    if (busy || isThere) return; // of what changes nothing, Python would send nothing back
    busy = true;
    model.set("edit", { knot, down, right, count: ++count }); // counted, so that the same edit twice is two events
    model.save_changes();
  };

  el.addEventListener("pointerdown", (event) => {
    const knot = event.target.closest("[data-knot]");
    if (!knot) return;
    event.preventDefault();
    dragged = Number(knot.dataset.knot);
    knot.focus({ preventScroll: true });
    el.setPointerCapture(event.pointerId); // of what stays: the knots are drawn anew while the mouse moves
  });

  el.addEventListener("pointermove", (event) => {
    if (dragged === null) return;
    const { longest, side, homes } = model.get("scene");
    const box = el.querySelector("img").getBoundingClientRect();
    const pixels = (side + 2 * longest) / box.width;
    const [row, column] = homes[dragged];
    move(
      dragged,
      (event.clientY - box.top) * pixels - longest - 0.5 - row,
      (event.clientX - box.left) * pixels - longest - 0.5 - column,
    );
  });

  for (const end of ["pointerup", "pointercancel"]) {
    el.addEventListener(end, () => {
      dragged = null;
      busy = false; // should an answer have been lost, the next move is not
    });
  }

  el.addEventListener("keydown", (event) => {
    const knot = event.target.closest("[data-knot]");
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!knot || !step) return;
    event.preventDefault();
    event.stopPropagation();
    if (busy) return; // a held key must not add up steps that are not yet shown
    const n = Number(knot.dataset.knot);
    const [down, right] = model.get("scene").vectors[n];
    move(n, down + step[0], right + step[1]);
  });

  model.on("change:scene", paint);
  paint();
}

export default { render };
