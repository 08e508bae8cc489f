// The answer: probability and mask, with the number of cells, beside what they were before the last change.
//
//   mountOutput(root, it) → { update(), focus() }
import { add } from "../dom.js";
import { paintGrey, write } from "./parts.js";

const KINDS = 7; // of colours for cells

export function mountOutput(root, it) {
  const parts = {};
  let colours = null; // of the pixels in the last answer, so that a cell keeps its colour while one draws

  function build() {
    const answer = add(root, "div", { class: "answer" });
    add(answer, "h3", {}, "Answer");
    parts.probability = add(answer, "canvas", { role: "button", tabindex: 0, "aria-label": "the answer" });
    parts.probability.addEventListener("click", ({ offsetX, offsetY }) => lookInside(offsetY, offsetX));
    parts.probability.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault(); // or the page scrolls
      lookInside();
    });
    parts.words = add(answer, "p", { class: "below" });
    const compared = add(root, "div", { class: "compared" });
    parts.now = drawMask(compared, "found now");
    parts.before = drawMask(compared, "found before");
    parts.difference = add(root, "p", { class: "difference" });
  }

  // At the score of class 1; of the pixel that was clicked.
  function lookInside(y, x) {
    const box = parts.probability.getBoundingClientRect();
    const { rows, columns } = it.result;
    const pixel = y === undefined ? {} : { row: Math.floor((y / box.height) * rows), column: Math.floor((x / box.width) * columns) };
    it.origin = box;
    it.go({ layer: "head", channel: 1, ...pixel });
  }

  function drawMask(parent, words) {
    const figure = add(parent, "figure", {});
    const head = add(figure, "figcaption");
    const count = add(head, "b");
    add(head, "span", {}, words);
    return { count, canvas: add(figure, "canvas", { role: "img", "aria-label": `mask ${words}` }), words };
  }

  function update() {
    const { result, before } = it;
    paintGrey(parts.probability, { ...result, values: result.probability }, 0, 1);
    write(parts.probability, "aria-label", `probability of ${it.labels[1]} at each pixel, white is 1: ${it.counted(result.cells)}. Look inside`);
    write(parts.words, "text", `probability of “${it.labels[1]}”, in ${Math.round(result.milliseconds)} ms. Click on a pixel to see how.`);
    paintMask(parts.now, result, true);
    paintMask(parts.before, before ?? result, false);
    const isTurned = before && before.columns !== result.columns; // then no pixel has one to be compared with
    const changed = before ? result.probability.reduce((count, value, k) => count + (value > 0.5 !== before.probability[k] > 0.5), 0) : 0;
    const difference = `${changed} of ${result.probability.length} pixels now have another answer`;
    write(parts.difference, "text", isTurned ? "" : before ? difference : "Draw, or switch something off");
  }

  function paintMask({ count, canvas, words }, result, isNow) {
    const { rows, columns, top, left, cells, image } = result; // without padding the rim has no answer
    write(count, "text", cells.count);
    write(canvas, "aria-label", `mask ${words}: ${it.counted(cells)}, one colour for each`);
    result.colours ??= cellColours(cells, isNow ? colours : null);
    if (isNow) colours = result.colours;
    [canvas.width, canvas.height] = [columns, rows];
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(columns, rows);
    for (let k = 0; k < rows * columns; k++) {
      const grey = 255 * image.values[(Math.floor(k / columns) + top) * image.columns + (k % columns) + left];
      const colour = cells.labels[k] ? it.classes[result.colours[k]] : [grey, grey, grey];
      const share = isRim(cells, k) ? 1 : cells.labels[k] ? 0.55 : 0;
      for (let c = 0; c < 3; c++) pixels.data[4 * k + c] = share * colour[c] + (1 - share) * (cells.labels[k] ? grey : 0.6 * grey);
      pixels.data[4 * k + 3] = 255;
    }
    context.putImageData(pixels, 0, 0);
  }

  build();
  return { update, focus: () => parts.probability.focus({ preventScroll: true }) };
}

function isRim({ labels, columns }, k) {
  const own = labels[k];
  return own > 0 && (labels[k - 1] !== own || labels[k + 1] !== own || labels[k - columns] !== own || labels[k + columns] !== own);
}

// A colour for each cell, at each of its pixels: that of the cell which lay there before, or else one that is rare so far.
function cellColours({ labels, count }, before) {
  const votes = Array.from({ length: count + 1 }, () => new Uint16Array(KINDS + 1));
  if (before?.length === labels.length) labels.forEach((label, k) => before[k] && votes[label][before[k]]++);
  const used = new Uint16Array(KINDS + 1);
  const chosen = votes.map((counts, label) => {
    if (label === 0) return 0;
    const most = Math.max(...counts);
    const colour = most ? counts.indexOf(most) : used.indexOf(Math.min(...used.subarray(1)), 1);
    used[colour]++;
    return colour;
  });
  return Uint8Array.from(labels, (label) => chosen[label]);
}
