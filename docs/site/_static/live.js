// Explorers that ask Python and answer a little without it. A stored lesson keeps the scene of each beside its picture; the painter that
// JupyterLab uses (unet_edu/explore/scene.js, which the build puts into explore/) draws it here too. Whatever goes wrong, the picture
// stays. (Explorers that compute in the page bring their own program, and need nothing of this.)

import { mountScene } from "./explore/scene.js";

for (const figure of document.querySelectorAll("figure.unet-live")) {
  for (const stored of figure.querySelectorAll("script[data-painter]")) {
    const root = document.createElement("div");
    stored.before(root);
    try {
      mountScene(root, JSON.parse(stored.textContent));
      figure.classList.add("is-live");
      figure.querySelector("figcaption details").append(figure.querySelector("img")); // it may hold photographs too
    } catch (error) {
      root.remove();
      reportError(error);
    }
  }
}
