// The pixel that a reader points at. One question at a time: a slow connection must not be left behind by a fast mouse. Python answers
// each question by its number, in `answered`, also when nothing in the picture had to change. Only then the newest pixel is sent.

function render({ model, el }) {
  let held = false;
  let isBusy = false;
  let asked = null; // the pixel of the last question, as text: within one pixel a mouse moves many times
  let next = null;

  function paint() {
    el.innerHTML = model.get("html");
    el.querySelector("img").style.outline = held ? "3px solid currentColor" : "";
  }

  function ask(pixel) {
    next = null;
    if (String(pixel) === asked) return;
    isBusy = true;
    asked = String(pixel);
    model.set("pixel", pixel);
    model.set("asked", model.get("answered") + 1);
    model.save_changes();
  }

  function go() {
    isBusy = false;
    if (next) ask(next);
  }

  function point(event) {
    const box = el.querySelector("img").getBoundingClientRect();
    const part = [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width];
    if (part.some((p) => p < 0 || p >= 1)) return false;
    const pixel = [Math.floor(part[0] * model.get("rows")), Math.floor(part[1] * model.get("columns"))];
    if (isBusy) next = pixel;
    else ask(pixel);
    return true;
  }

  el.classList.add("unet-pointed");
  el.style.cursor = "crosshair";
  el.addEventListener("pointermove", (event) => {
    if (!held) point(event);
  });
  el.addEventListener("pointerleave", () => {
    asked = null; // while the pointer is away a slider may choose another pixel
  });
  el.addEventListener("click", (event) => {
    if (point(event)) {
      held = !held;
      paint();
    }
  });
  model.on("change:html", paint);
  model.on("change:answered", go);
  paint();
  return () => {
    model.off("change:html", paint);
    model.off("change:answered", go);
  };
}

export default { render };
