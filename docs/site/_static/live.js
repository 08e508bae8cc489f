// Explorers that answer on a web page, without Python. A stored lesson keeps the scene of each grid explorer beside its picture; the
// painters that JupyterLab uses (unet_edu/explore/*.js, which the build puts into explore/) draw it here too. Whatever goes wrong, the
// picture stays.

import { mountScene } from "./explore/scene.js";
import { mount as sizes } from "./explore/sizes.js";

const PAINTERS = { scene: mountScene, sizes };

for (const figure of document.querySelectorAll("figure.unet-live")) {
  for (const stored of figure.querySelectorAll("script[data-painter]")) {
    const root = document.createElement("div");
    stored.before(root);
    try {
      PAINTERS[stored.dataset.painter](root, JSON.parse(stored.textContent));
      figure.classList.add("is-live");
      figure.querySelector("figcaption details").append(figure.querySelector("img")); // it may hold photographs too
    } catch (error) {
      root.remove();
      reportError(error);
    }
  }
}
