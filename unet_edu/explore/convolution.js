// The convolution explorer in the page: convolution.py makes the same scenes, for the still picture and for the proof.

import { add, quiet } from "./dom.js";
import { controls } from "./controls.js";
import { mountScene } from "./scene.js";
import { cells, complete, lineUp, number, total } from "./cells.js";

const SIDE = 8; // rows and columns of a photograph that are shown as numbers
const STAGE = 380; // pixels: the height of the stage
const DUST = 1e-12; // beside the products that cancel
const GREYS = Array.from({ length: 256 }, (_, grey) => `#${grey.toString(16).padStart(2, "0").repeat(3)}`);

export async function mount(root, { fields, state, photos: packed, signs, colours }) {
  const [box, body] = [add(root, "div"), add(root, "div", { class: "unet-convolution" })];
  const photos = await unpacked(packed);
  const paint = () => ({ ...scene(state, photos, signs), colours });
  const view = mountScene(add(body, "div"), paint(), (cell, value) => change(edited(state, photos, cell, value)), { height: STAGE, wraps: true });
  const look = photographs(add(body, "div", { class: "unet-photos" }), photos, signs, (place) => change(place));
  const { change } = controls(box, fields, state, (state, name) => problem(state, name, photos), (next) => {
    state = next;
    const { row, column } = inside(state, photos);
    if (row !== state.row || column !== state.column) return change({ row, column }); // another photograph is smaller
    view.update(paint());
    look(state);
  });
  look(state);
}

// ---- the state --------------------------------------------------------------------------------------------------------------

const sizeOf = (array) => [array.length, array[0].length];
const spanOf = (length, { dilation }) => dilation * (length - 1) + 1;

function inside({ x, photo, row, column }, photos) {
  if (x.length) return { row, column };
  const clip = (place, length) => Math.max(0, Math.min(place, length - SIDE));
  return { row: clip(row, photos[photo].rows), column: clip(column, photos[photo].columns) };
}

export function problem(state, name, photos) {
  const { x, kernel, photo, padding } = state;
  const isPlace = ["row", "column"].includes(name);
  if (x.length && (isPlace || name === "photo")) return "the input is no photograph";
  if (isPlace && inside(state, photos)[name] !== state[name]) return `the photograph has ${photos[photo][`${name}s`]} ${name}s`;
  const room = (x.length ? sizeOf(x) : [SIDE, SIDE]).map((side) => side + 2 * padding);
  const spans = sizeOf(kernel).map((side) => spanOf(side, state));
  const n = spans.findIndex((span, n) => span > room[n]);
  return n < 0 ? "" : `the kernel would span ${spans[n]} cells, and there are only ${room[n]}`;
}

function imageOf({ x, photo, row, column }, photos) {
  if (x.length) return x;
  const { columns, grey } = photos[photo];
  return Array.from({ length: SIDE }, (_, i) => Array.from(grey.subarray((row + i) * columns + column, (row + i) * columns + column + SIDE)));
}

// What a number typed into a cell of the scene changes in the state.
function edited(state, photos, cell, value) {
  const [image, p] = [imageOf(state, photos), state.padding];
  const across = image[0].length + 2 * p;
  const count = across * (image.length + 2 * p);
  const typed = (array, row, column) => array.map((line, i) => line.map((old, j) => (i === row && j === column ? value : old)));
  if (cell < count) return { x: typed(image, Math.floor(cell / across) - p, (cell % across) - p) };
  const columns = state.kernel[0].length;
  return { kernel: typed(state.kernel, Math.floor((cell - count) / columns), (cell - count) % columns) };
}

// ---- the numbers ------------------------------------------------------------------------------------------------------------

// A plane, row by row, under a kernel; outside of it all is zero.
export function convolve(plane, [rows, columns], { kernel, flip, stride, padding, dilation }) {
  const [high, wide] = sizeOf(kernel);
  const out = [[rows, high], [columns, wide]].map(([side, length]) => Math.floor((side + 2 * padding - spanOf(length, { dilation })) / stride) + 1);
  const y = new Float64Array(out[0] * out[1]);
  const taps = [];
  for (let u = 0; u < high; u++) {
    for (let v = 0; v < wide; v++) {
      const weight = flip ? kernel[high - 1 - u][wide - 1 - v] : kernel[u][v];
      const shift = v * dilation - padding;
      const [from, to] = [Math.max(0, Math.ceil(-shift / stride)), Math.min(out[1], Math.floor((columns - 1 - shift) / stride) + 1)];
      if (weight) taps.push([u, shift, weight, from, to]);
    }
  }
  for (let i = 0; i < out[0]; i++) { // one row after the other, which stays in the processor's cache
    for (const [u, shift, weight, from, to] of taps) {
      const row = i * stride + u * dilation - padding;
      if (row < 0 || row >= rows) continue;
      let [at, x] = [i * out[1] + from, row * columns + from * stride + shift];
      for (const end = i * out[1] + to; at < end; at++, x += stride) y[at] += weight * plane[x];
    }
  }
  return { y, rows: out[0], columns: out[1] };
}

// The photograph under the kernel, and the values that get the first and the last colour; kept, because a drag asks again and again.
let kept = {};
export function filtered(state, photos) {
  const { kernel, flip, photo, stride, padding, dilation } = state;
  const key = JSON.stringify([photo, kernel, flip, stride, padding, dilation]);
  if (kept.key === key && kept.of === photos) return kept;
  const { grey, rows, columns } = photos[photo];
  const result = convolve(grey, [rows, columns], state);
  const sum = kernel.flat().reduce((sum, weight) => sum + weight, 0);
  let high = 255 * sum;
  if (sum <= 1e-9) {
    high = 0;
    for (let k = 0; k < result.y.length; k++) if (result.y[k] > high || -result.y[k] > high) high = Math.abs(result.y[k]);
    high ||= 1;
  }
  return (kept = { ...result, key, of: photos, low: sum > 1e-9 ? 0 : -high, high });
}

function stepOf(value, low, high, steps) {
  const part = Math.max(0, Math.min(1, (value - low) / (high - low)));
  return Math.min(steps - 1, Math.floor(part * steps));
}

const shades = (values, { low, high }, table) => Array.from(values, (value) => table[stepOf(value, low, high, table.length)]);

export function scene(state, photos, signs) {
  const { kernel, flip, stride, dilation, padding: p } = state;
  const image = imageOf(state, photos);
  const [rows, columns] = sizeOf(image);
  const [high, wide] = sizeOf(kernel);
  const { y, ...out } = convolve(image.flat(), [rows, columns], state);
  const across = columns + 2 * p;
  const isInside = (k) => { // and not in the padding
    const [row, column] = [Math.floor(k / across) - p, (k % across) - p];
    return row >= 0 && row < rows && column >= 0 && column < columns;
  };
  const padded = Array.from({ length: across * (rows + 2 * p) }, (_, k) => (isInside(k) ? image[Math.floor(k / across) - p][(k % across) - p] : 0));
  const weights = kernel.flat();
  const name = (letter, k, columns, ring = 0) => `${letter}[${Math.floor(k / columns) - ring}, ${(k % columns) - ring}]`;

  const list = (length) => Array.from({ length }, () => []);
  const [sums, feeds, meets, links] = [list(y.length), list(padded.length), list(weights.length), []];
  const [written, firstWeight] = [weights.map(number), padded.length];
  for (let n = 0; n < y.length; n++) {
    const [i, j] = [Math.floor(n / out.columns), n % out.columns];
    for (let u = 0; u < high; u++) {
      for (let v = 0; v < wide; v++) {
        const w = flip ? (high - 1 - u) * wide + wide - 1 - v : u * wide + v;
        const k = (i * stride + u * dilation) * across + j * stride + v * dilation;
        sums[n].push([weights[w], padded[k]]);
        feeds[k].push(`${name("y", n, out.columns)} times ${written[w]}`);
        meets[w].push(number(padded[k]));
        links.push([firstWeight + weights.length + n, k, firstWeight + w, ""]);
      }
    }
  }
  y.forEach((sum, n) => { // what is left of a sum that cancels is no number to show
    if (Math.abs(sum) <= DUST * sums[n].reduce((sum, [a, b]) => sum + Math.abs(a * b), 0)) y[n] = 0;
  });
  const notesX = padded.map((value, k) => {
    const what = isInside(k) ? `${name("x", k, across, p)} = ${number(value)}` : "this zero of the padding";
    return feeds[k].length ? `${what} goes into ${feeds[k].join(", ")}` : `no window reads ${what}`;
  });
  const notesW = weights.map((_, k) => `${name("w", k, wide)} = ${written[k]} multiplies ${meets[k].join(", ")}: one for each output`);
  const notesY = Array.from(y, (_, k) => `${name("y", k, out.columns)} = ${total(sums[k])}`);
  const marks = padded.map((_, k) => (!feeds[k].length ? "unused" : isInside(k) ? "" : "padding"));

  const [sizeX, sizeW, sizeY] = [`${rows}×${columns}`, `${high}×${wide}`, `${out.rows}×${out.columns}`];
  const isPhoto = !state.x.length;
  const scale = isPhoto && filtered(state, photos);
  const grounds = isPhoto ? [{ fill: shades(padded, { low: 0, high: 255 }, GREYS) }, { fill: shades(y, scale, scale.low < 0 ? signs : GREYS) }] : [];
  const { grids, signs: between } = lineUp(
    cells("input", `input x, ${sizeX}${p ? `, padding ${p}` : ""}`, "input", rows + 2 * p, across, padded.map(number), notesX, { marks, editable: true, ...grounds[0], ...(p && { ring: p }) }),
    "∗",
    cells("kernel", `kernel w, ${sizeW}`, "kernel", high, wide, written, notesW, { editable: true }),
    "=",
    cells("output", `output y, ${sizeY}`, "output", out.rows, out.columns, Array.from(y, number), notesY, grounds[1]),
  );
  const turned = flip ? "convolution, with the kernel turned by 180°" : "correlation";
  const unusual = [["stride", 1], ["padding", 0], ["dilation", 1]].filter(([name, usual]) => state[name] !== usual).map(([name]) => `${name} ${state[name]}`);
  return complete({
    alt: `An input of ${sizeX}, a kernel of ${sizeW} and an output of ${sizeY}: their ${turned}${unusual.length ? `, with ${unusual.join(", ")}` : ""}. ` +
      `The first output: ${notesY[0]} = ${number(y[0])}.`,
    grids, links, signs: between, walk: "output", canPredict: true,
    caption: [
      isPhoto && `The input: ${SIDE}×${SIDE} pixels of the photograph from row ${state.row}, column ${state.column}, from 0 to 255.`,
      isPhoto && p && "They are padded as an image of their own.",
      flip && "The kernel is turned by 180° before it is laid on the input.",
    ].filter(Boolean).join(" "),
  });
}

// ---- the photographs --------------------------------------------------------------------------------------------------------

// Each row came as the difference to the one above it, deflated.
export async function unpacked(packed) {
  const found = {};
  for (const [name, { bytes, ...photo }] of Object.entries(packed)) {
    const deflated = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
    const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate"));
    const grey = new Uint8Array(await new Response(stream).arrayBuffer());
    for (let k = photo.columns; k < grey.length; k++) grey[k] += grey[k - photo.columns];
    found[name] = { ...photo, grey };
  }
  return found;
}

// Of the filtered photograph, what comes of the pixels in the grid alone: row, column, rows, columns.
export function boxOf(state) {
  const { row, column, kernel, stride, padding } = state;
  const starts = [row + padding, column + padding];
  const first = starts.map((start) => Math.ceil(start / stride));
  const last = starts.map((start, n) => Math.floor((start + SIDE - spanOf(sizeOf(kernel)[n], state)) / stride));
  return [...first, ...last.map((last, n) => Math.max(1, last - first[n] + 1))];
}

// The photograph before and after: point at either or drag on it, and the grid goes there; so do the arrow keys.
function photographs(root, photos, signs, onPlace) {
  let [state, painted] = [null, {}];
  const [before, after] = ["the photograph: point at it, or drag, and the grid goes there", ""].map((caption) => {
    const figure = add(root, "figure");
    const frame = quiet(add(figure, "div", { class: "frame", role: "application", tabindex: 0 }));
    const part = { frame, canvas: add(frame, "canvas"), box: add(frame, "span", { class: "box" }), caption: add(figure, "figcaption", {}, caption) };
    frame.addEventListener("pointerdown", (event) => (frame.setPointerCapture(event.pointerId), go(part, event)));
    frame.addEventListener("pointermove", (event) => event.buttons && go(part, event));
    frame.addEventListener("keydown", (event) => {
      const [down, right] = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key] ?? [0, 0];
      if (!down && !right) return;
      event.preventDefault();
      const far = event.shiftKey ? SIDE : 1;
      place(state.row + far * down, state.column + far * right);
    });
    return part;
  });

  function go({ canvas }, event) {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const { rows, columns } = photos[state.photo]; // both pictures show the same part of the world
    place(Math.round((rows * (event.clientY - top)) / height - SIDE / 2), Math.round((columns * (event.clientX - left)) / width - SIDE / 2));
  }

  function place(row, column) {
    const next = inside({ ...state, row, column }, photos);
    if (next.row !== state.row || next.column !== state.column) onPlace(next);
  }

  function paint({ canvas }, values, rows, columns, { low, high }, table) {
    const colours = Uint32Array.from(table, (hex) => 0xff000000 | (parseInt(hex.slice(5), 16) << 16) | (parseInt(hex.slice(3, 5), 16) << 8) | parseInt(hex.slice(1, 3), 16));
    const image = new ImageData(columns, rows);
    const pixels = new Uint32Array(image.data.buffer);
    const [scale, last] = [colours.length / (high - low), colours.length - 1];
    for (let k = 0; k < pixels.length; k++) { // as `stepOf`, for hundreds of thousands
      const step = (values[k] - low) * scale;
      pixels[k] = colours[step < 0 ? 0 : step > last ? last : step | 0];
    }
    Object.assign(canvas, { width: columns, height: rows });
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  function lay({ box, canvas }, [row, column, rows, columns]) {
    const percent = (part, whole) => `${(100 * part) / whole}%`;
    Object.assign(box.style, { top: percent(row, canvas.height), left: percent(column, canvas.width), height: percent(rows, canvas.height), width: percent(columns, canvas.width) });
  }

  return (next) => {
    state = next;
    root.hidden = state.x.length > 0;
    if (root.hidden) return;
    const { grey, rows, columns, about } = photos[state.photo];
    const result = filtered(state, photos);
    const { low, high } = result;
    if (painted.photo !== state.photo) paint(before, grey, rows, columns, { low: 0, high: 255 }, GREYS);
    if (painted.result !== result) paint(after, result.y, result.rows, result.columns, result, low < 0 ? signs : GREYS);
    painted = { photo: state.photo, result };
    const levels = low < 0 ? `orange is ${number(low)}, white is 0, purple is ${number(high)}` : `black is 0, white is ${number(high)}`;
    after.caption.textContent = `under the kernel: ${levels}`;
    before.frame.setAttribute("aria-label", `Photograph: ${about}. The arrow keys move the box.`);
    after.frame.setAttribute("aria-label", `The photograph under the kernel: ${levels}. The arrow keys move the box.`);
    lay(before, [state.row, state.column, SIDE, SIDE]);
    lay(after, boxOf(state));
  };
}
