// What stands for an explorer that computes in the page is an output of its own: a picture, just before the live one. Where the live
// one shows, the picture is hidden, for as long as it does. (A widget cannot say that it is gone: for those, live.css does this.)
//
//   hideStill(live) → a function that shows the picture again

export function hideStill(live) {
  // not beyond the cell, in the book, JupyterLab and VS Code; on Colab a page is one cell
  for (let node = live; node && !node.matches(".cell, .jp-Cell, .cell_container, body"); node = node.parentElement) {
    const still = node.previousElementSibling;
    if (!still?.matches("img, :has(img)")) continue;
    still.hidden = true;
    still.style.display = "none"; // JupyterLab gives its outputs a display of their own
    return () => {
      still.hidden = false;
      still.style.display = "";
    };
  }
  return () => {};
}
