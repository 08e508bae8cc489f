// The size explorer in the browser: it shows the U that Python drew, and says which block was chosen. Without a kernel the blocks
// can still be clicked, because what there is to say of each came along.
//
//   mount(root, scene, onChoose) → { update(scene), destroy() }; there is no onChoose on a web page without Python

export function mount(root, scene, onChoose) {
  let selected = scene.selected;

  function build() {
    const hadFocus = root.contains(root.getRootNode().activeElement);
    root.classList.add("unet-scene", "unet-sizes"); // a scene among others, with a style of its own
    root.innerHTML = `<div class="stage">${scene.svg}</div><p class="caption" role="status"></p><div class="about" role="status"></div>`;
    root.querySelector(".caption").textContent = scene.caption;
    for (const block of blocks()) {
      block.addEventListener("click", () => choose(block.dataset.block));
      block.addEventListener("keydown", move);
      block.setAttribute("data-lm-suppress-shortcuts", "true"); // or JupyterLab takes the arrow keys
    }
    paint();
    if (hadFocus) chosen()?.focus({ preventScroll: true });
  }

  const blocks = () => [...root.querySelectorAll("[data-block]")];
  const chosen = () => blocks().find((block) => block.dataset.block === selected);

  function paint() {
    for (const block of blocks()) {
      const is = block.dataset.block === selected;
      block.classList.toggle("selected", is);
      block.setAttribute("tabindex", is ? "0" : "-1"); // one stop for the Tab key; the arrows go on from there
      block.setAttribute("aria-pressed", is);
    }
    root.querySelector(".about").innerHTML = scene.notes[selected] ?? "";
  }

  function choose(name) {
    selected = name;
    paint();
    chosen().focus({ preventScroll: true });
    onChoose?.(name);
  }

  function move(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const all = blocks();
    const place = all.indexOf(chosen()) + step;
    if (place >= 0 && place < all.length) choose(all[place].dataset.block);
  }

  build();
  return {
    update(next) {
      scene = next;
      selected = scene.selected;
      build();
    },
    destroy() {},
  };
}

export default {
  render({ model, el }) {
    let count = 0; // makes the same block chosen twice two events
    const view = mount(el, model.get("scene"), (block) => {
      model.set("edit", { block, count: ++count });
      model.save_changes();
    });
    model.on("change:scene", () => view.update(model.get("scene")));
    return () => view.destroy();
  },
};
