// What the levels are put together from: a map as a tile on which one pixel can be marked, and numbers in cells.

import { add } from "../dom.js";
import { number } from "../cells.js";
import { paintGrey, paintSigned, signedColour, spread } from "./parts.js";

const LETTERS = 6; // of a number that fits into a cell
const SAMPLE = 2500; // numbers of a map that are looked at to find its scale

// `reach` says what part of this map belongs to a pixel of the map that is looked at. A sum has signed colours up to `most`.
export function drawTile(parent, map, words, reach, { onChoose, most } = {}) {
  const made = onChoose ? levelsButton(parent, "", () => onChoose(made)) : add(parent, "span", { role: "img" });
  made.classList.add("tile");
  made.setAttribute("aria-label", words);
  add(made, "canvas");
  add(made, "span", { class: "mark", hidden: true });
  made.reach = reach;
  fillTile(made, map, most);
  return made;
}

// A map without negative numbers is grey, from 0 upwards; one with negative numbers has signed colours.
export function fillTile(made, map, most) {
  const canvas = made.querySelector("canvas");
  made.map = map;
  if (most || spread(map.values)[0] < 0) paintSigned(canvas, map, most || usualSize(map.values));
  else paintGrey(canvas, map, 0, usualSize(map.values));
}

// Of 200 numbers about one is larger. A scale that ended at the largest of all would leave most maps nearly black.
export function usualSize(values) {
  const sizes = [];
  for (let k = 0; k < values.length; k += Math.ceil(values.length / SAMPLE)) sizes.push(Math.abs(values[k]));
  return sizes.sort((a, b) => a - b)[Math.floor(0.995 * sizes.length)] || spread(values)[1];
}

export function markTile({ map, reach, lastChild: mark }, pixel) {
  mark.hidden = !pixel;
  if (!pixel) return;
  const { row, column, size } = reach(pixel.row, pixel.column);
  mark.style.left = `${(100 * (column + size / 2)) / map.columns}%`;
  mark.style.top = `${(100 * (row + size / 2)) / map.rows}%`;
  mark.style.width = `${(100 * size) / map.columns}%`;
  mark.style.height = `${(100 * size) / map.rows}%`;
}

// `colour` gives a cell its ground: "grey" from 0 to `most`, or "signed". The one cell that is looked at is `chosen`.
export function drawNumbers(parent, numbers, { most, colour = "signed", chosen, words }) {
  const box = add(parent, "span", { class: "numbers", style: `--side: ${Math.sqrt(numbers.length)}` });
  if (words) box.setAttribute("role", "img");
  if (words) box.setAttribute("aria-label", words);
  numbers.forEach((value, tap) => {
    const cell = add(box, "span", { class: tap === chosen ? "number chosen" : "number", "data-tap": tap }, shortNumber(value));
    const share = Math.max(-1, Math.min(1, value / (most || 1)));
    const grey = Math.round(255 * Math.max(0, share));
    const isGrey = colour === "grey" && share >= 0;
    // of the signed colours the lighter half, so that the digits stay legible
    cell.style.background = isGrey ? `rgb(${grey} ${grey} ${grey})` : signedColour(share / 2);
    cell.style.color = isGrey && grey < 117 ? "#fff" : "#000";
  });
  return box;
}

// As all numbers of the course, with fewer digits where the cell has no room for three.
export function shortNumber(value) {
  const text = number(value);
  if (text.length <= LETTERS) return text;
  const short = value.toFixed(LETTERS - (value < 0 ? 3 : 2)).replace("-", "−"); // "0.", and a minus
  return Number(short.replace("−", "")) === 0 ? "≈ 0" : short;
}

export function levelsButton(parent, words, onChoose) {
  const made = add(parent, "button", { type: "button", "data-lm-suppress-shortcuts": true }, words);
  made.addEventListener("click", onChoose);
  return made;
}
