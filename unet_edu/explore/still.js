// What stands for an explorer where nothing runs is an output of its own: a picture, just before the live one. Where the live one
// shows, the picture is hidden, for as long as it does.
//
//   hideStill(live) → a function that shows the picture again

export function hideStill(live) {
  for (let node = live; node?.parentElement && !node.matches(".cell, .jp-Cell, .jp-OutputArea, body"); node = node.parentElement) {
    const still = node.previousElementSibling;
    if (!still?.querySelector("img")) continue;
    still.hidden = true;
    still.style.display = "none"; // JupyterLab gives its outputs a display of their own
    return () => {
      still.hidden = false;
      still.style.display = "";
    };
  }
  return () => {};
}
