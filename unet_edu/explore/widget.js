// A scene as an anywidget: Python makes the scene, and is told what the reader types.

import { mountScene } from "./scene.js";

export default {
  render({ model, el }) {
    let edits = 0; // makes the same value typed twice two edits
    const view = mountScene(el, model.get("scene"), (cell, value) => {
      model.set("edit", { cell, value, edits: ++edits });
      model.save_changes();
    });
    model.on("change:scene", () => view.update(model.get("scene")));
    return () => view.destroy();
  },
};
