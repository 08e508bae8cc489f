// The arithmetic explorer in the page: arithmetic.py makes the same scenes, for the still picture and for the proof.

import { add } from "./dom.js";
import { controls } from "./controls.js";
import { mountScene } from "./scene.js";
import { cells, complete, count } from "./cells.js";

const TOP = 2 * 0.85 + 1.25; // of the windows: two labels and the input stand above them
const STAGE = 400; // of the stage, in which the most windows have room

export function mount(root, { fields, state, colours }) {
  const box = add(root, "div");
  const paint = (state) => ({ ...scene(state), colours });
  const { update } = mountScene(add(root, "div"), paint(state), null, { height: STAGE, least: 16 });
  controls(box, fields, state, problem, (state) => update(paint(state)));
}

const sub = (index) => String(index).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
const spanOf = ({ kernel, dilation }) => dilation * (kernel - 1) + 1;

function problem(state) {
  const [span, cells] = [spanOf(state), state.size + 2 * state.padding];
  return span > cells ? `The window would span ${span} cells, and there are only ${cells}.` : "";
}

export function scene(state) {
  const { size, kernel, stride, padding, dilation } = state;
  const width = size + 2 * padding;
  const span = spanOf(state);
  const windows = span > width ? 0 : Math.floor((width - span) / stride) + 1;
  const range = (length, item) => Array.from({ length }, (_, n) => item(n));
  const names = range(width, (cell) => (cell < padding || cell >= padding + size ? "0" : `x${sub(cell - padding)}`));
  const reads = range(windows, (n) => range(kernel, (t) => n * stride + t * dilation)); // the cells of each window

  const readers = names.map((_, place) => reads.flatMap((places, n) => (places.includes(place) ? [`y${sub(n)}`] : [])));
  const said = (name) => (name === "0" ? "this zero of the padding" : name);
  const around = padding ? ` and ${padding} of padding on each side` : "";
  const input = cells("input", `input, ${count(size, "cell", "cells")}${around}`, "input", 1, width, names,
    names.map((name, place) => (readers[place].length ? `${said(name)} goes into ${readers[place].join(", ")}` : `no window reads ${said(name)}: it is dropped`)),
    { at: [0, 0.85], marks: names.map((name, place) => (!readers[place].length ? "unused" : name === "0" ? "padding" : "")) });

  const taps = reads.flatMap((places) => names.map((_, place) => (places.includes(place) ? `w${sub(places.indexOf(place))}` : "")));
  const about = (tap, n, name) => (tap ? `window ${n} multiplies ${name} by ${tap}` : `window ${n} does not read ${name}`);
  const label = windows ? `the window in ${count(windows, "position", "positions")}` : "no window fits";
  const body = cells("windows", label, "kernel", windows, width, taps, taps.map((tap, k) => about(tap, Math.floor(k / width), names[k % width])),
    { at: [0, TOP], marks: taps.map((tap) => (tap ? "tap" : "blank")) });

  const sums = reads.map((places) => places.map((place, t) => `w${sub(t)}·${names[place]}`).join(" + "));
  const output = cells("output", `output, ${windows}`, "output", windows, 1, range(windows, (n) => `y${sub(n)}`), sums, { at: [Math.max(width, 5) + 0.6, TOP] });

  const unread = readers.filter((outputs) => !outputs.length).length;
  const rest = width - span;
  return complete({
    alt: `Windows of ${count(kernel, "cell", "cells")} with dilation ${dilation} and stride ${stride} on an input of ${size} with padding ${padding}: ` +
      `${windows || "none"} fit${windows === 1 ? "s" : ""}. ${unread ? `In no window: ${count(unread, "cell", "cells")}.` : "Every cell is in a window."}`,
    grids: [input, body, output],
    links: reads.flatMap((places, n) => places.map((place) => [width + windows * width + n, place, width + n * width + place, ""])),
    walk: "output",
    caption: windows
      ? `⌊(${size} + 2·${padding} − ${dilation}·(${kernel} − 1) − 1) / ${stride}⌋ + 1 = ⌊${rest} / ${stride}⌋ + 1 = ${windows}`
      : `the window spans ${span} cells and there are only ${width}: PyTorch raises an error`,
    code: `nn.Conv2d(in_channels, out_channels, kernel_size=${kernel}, stride=${stride}, padding=${padding}, dilation=${dilation})`,
  });
}
