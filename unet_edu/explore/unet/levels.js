// The levels below the whole U: one map and what feeds it, one pixel and its windows, one product.
//
//   mountLevels(root, it) → { update() }; explainer.js says what `it` is
//
// Above stand the map, large, and words; below, in columns, what is added up to make it.

import { add } from "../dom.js";
import { reduced, spread } from "./parts.js";
import { drawStrip } from "./strip.js";
import { cameFrom, largestOf, mapSum, pixelSum, placeAbove, placeWithin } from "./sums.js";
import { drawNumbers, drawTile, fillTile, levelsButton, markTile } from "./tiles.js";
import { actsFor, pixelWords, titleOf, wordsFor } from "./words.js";

const STRONGEST = 5; // sources that are shown one by one, until a reader asks for all
const GROW_MS = 250;
const FAR = 8; // pixels, with the shift key
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

export function mountLevels(root, it) {
  const parts = buildLevels(root);
  let now = null; // what is shown
  let last = null; // the place that was shown before
  let pointed = null; // the pixel under the pointer, while a whole map is looked at
  let isWhole = false; // whether all sources are shown
  let origin = null; // where on the screen the chosen thing was: the next level grows out of there
  let summed = {}; // the sum of a map takes longer than all else here, and stays while a pixel moves

  // ---- what there is to show -----------------------------------------------------------------------------------------------

  function present() {
    const { net, place, state } = it;
    const layer = net.layers.find(({ name }) => name === place.layer);
    const before = layer.from.map((from) => net.layers.find(({ name }) => name === from));
    const found = { net, place, state, layer, before, isWhole, map: net.map(layer.name, place.channel) };
    if (["conv", "up", "head"].includes(layer.kind)) found.sum = sumOf(place);
    if (layer.kind === "head") found.otherMap = net.map("head", 1 - place.channel); // there are two classes
    if (place.row === undefined || layer.kind === "input") return found;
    const { row, column } = place;
    const order = found.sum?.steps.map(({ channel }) => channel);
    found.pixel = order ? pixelSum(net, place, order) : net.product(layer.name, place.channel, row, column);
    found.other = found.otherMap?.values[row * found.map.columns + column];
    return found;
  }

  function sumOf({ layer, channel }) {
    const key = [layer, channel, isWhole].join();
    if (summed.key !== key || summed.result !== it.result)
      summed = { key, result: it.result, sum: mapSum(it.net, layer, channel, isWhole ? Infinity : STRONGEST) };
    return summed.sum;
  }

  // ---- drawing -------------------------------------------------------------------------------------------------------------

  function update() {
    const place = placeWithin(it.net, it.place);
    if (Object.keys(place).length < Object.keys(it.place).length) return it.go(place);
    const isOther = last?.layer !== place.layer || last?.channel !== place.channel;
    const isEntered = isOther || stepsIn(last ?? {}) !== stepsIn(place);
    root.hidden = place.layer === undefined;
    if (isOther) [pointed, isWhole] = [null, false];
    if (!root.hidden) {
      now = present();
      if (place.source !== undefined && !now.pixel.steps.some(({ channel }) => channel === place.source)) {
        isWhole = true; // it is none of the strongest
        now = present();
      }
      const key = parts.strip.contains(document.activeElement) && document.activeElement.dataset.key;
      drawTrail();
      drawAbove();
      drawStrip(parts.strip, now, choose);
      mark();
      if (isEntered) enter(isOther);
      else if (key) focusOn(place.source === undefined ? key : `source-${place.source}`); // its button is a new one
    }
    [last, origin, it.origin] = [place, null, null];
  }

  function drawTrail() {
    const { layer, channel, row, column, source } = now.place;
    const steps = [["U", {}], [titleOf(now), { layer, channel }]];
    if (row !== undefined) steps.push([`pixel (${row}, ${column})`, { layer, channel, row, column }]);
    if (source !== undefined) steps.push(["product", now.place]);
    parts.trail.replaceChildren();
    steps.forEach(([words, place], k) => {
      const step = levelsButton(add(parts.trail, "li"), words, () => choose(place));
      if (k === steps.length - 1) step.setAttribute("aria-current", "location");
    });
    parts.trail.firstChild.firstChild.setAttribute("aria-label", "U, the whole network");
  }

  function drawAbove() {
    const { rows, columns } = now.map;
    const { said, status, equation, products } = wordsFor(now);
    fillTile(parts.large, now.map);
    const keys = "Arrows choose a pixel, Enter goes in, Escape goes back.";
    parts.large.setAttribute("aria-label", `${titleOf(now)}, ${rows} by ${columns} numbers. ${keys}`);
    parts.product.replaceChildren();
    if (equation) add(parts.product, "b", { class: "equation" }, equation);
    if (equation) drawNumbers(parts.product, products, { most: Math.max(...products.map(Math.abs)), chosen: now.place.tap });
    parts.said.textContent = said;
    parts.status.setAttribute("aria-live", "polite");
    parts.status.textContent = status;
    parts.acts.replaceChildren();
    for (const { words, place, changes } of actsFor(now))
      levelsButton(parts.acts, words, () => (place ? choose(place) : changes ? it.set(changes, words) : showAll()));
  }

  // The same pixel in every map that is shown.
  function mark() {
    const pixel = now.place.row === undefined ? pointed : now.place;
    for (const tile of root.querySelectorAll(".tile")) markTile(tile, pixel);
  }

  // ---- moving --------------------------------------------------------------------------------------------------------------

  function choose(place, from) {
    origin = from?.getBoundingClientRect();
    it.go(place);
  }

  function choosePixel(pixel) {
    const { layer, channel, row } = now.place;
    if (row === undefined) point(pixel); // its mark is what the windows grow out of
    choose({ layer, channel, ...pixel }, parts.large.lastChild);
  }

  function enter(isOther) {
    const isProduct = now.place.source !== undefined;
    const from = origin ?? it.origin;
    if (last) {
      isProduct ? focusOn(`source-${now.place.source}`) : parts.large.focus({ preventScroll: true });
      (isProduct ? parts.product : parts.large).scrollIntoView({ block: "nearest" }); // on a phone it may be far above
    }
    if (from && !reduced()) growFrom(from, isProduct ? parts.product : isOther ? parts.large : parts.strip);
  }

  function focusOn(key) {
    root.querySelector(`[data-key="${key}"]`)?.focus({ preventScroll: true });
  }

  function showAll() {
    isWhole = !isWhole;
    update();
    parts.acts.firstChild.focus();
  }

  function down() {
    const { place, map, pixel } = now;
    if (place.row === undefined) return choosePixel(pointed ?? brightest(map));
    if (!pixel?.steps) return pixel && choose(cameFrom(pixel));
    const step = pixel.steps[largestOf(pixel.steps.map(({ product }) => product))];
    const window = root.querySelector(`[data-key="source-${step.channel}"]`);
    choose({ ...place, source: step.channel, tap: largestOf(step.products) }, window);
  }

  function movePixel(down, right) {
    const { place, map } = now;
    const { row, column } = place.row === undefined ? (pointed ?? brightest(map)) : place;
    const inside = (value, count) => Math.max(0, Math.min(count - 1, value));
    const pixel = { row: inside(row + down, map.rows), column: inside(column + right, map.columns) };
    if (place.row === undefined) point(pixel);
    else it.go({ layer: place.layer, channel: place.channel, ...pixel });
  }

  // The windows stand side by side: from the right edge of one an arrow goes on to the next.
  function moveProduct(down, right) {
    const { place, pixel: { steps } } = now;
    const side = Math.sqrt(steps[0].products.length);
    const at = steps.findIndex(({ channel }) => channel === place.source);
    const row = Math.floor(place.tap / side) + down;
    const column = at * side + (place.tap % side) + right;
    const next = steps[Math.floor(column / side)];
    if (row >= 0 && row < side && next) it.go({ ...place, source: next.channel, tap: row * side + (column % side) });
  }

  // Said aloud where a key was pressed; a mouse passes over too many.
  function point(pixel, isSaid = true) {
    pointed = pixel;
    mark();
    parts.status.setAttribute("aria-live", isSaid ? "polite" : "off");
    parts.status.textContent = pixel ? pixelWords(now.map, pixel) : wordsFor(now).status;
  }

  function onKey(event) {
    if (event.key === "Tab" || event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation();
    const step = ARROWS[event.key]?.map((one) => (event.shiftKey ? FAR * one : one));
    const isAtMap = event.target === parts.large;
    const isAtProduct = now.place.source !== undefined && event.target.dataset.key === `source-${now.place.source}`;
    if (event.key === "Escape") choose(placeAbove(now.place));
    else if (step && isAtMap) movePixel(...step);
    else if (step && isAtProduct) moveProduct(...step);
    else if (event.key === "Enter" && isAtMap) down();
    else return;
    event.preventDefault();
  }

  function pixelUnder({ clientX, clientY }) {
    const { left, top, width, height } = parts.large.firstChild.getBoundingClientRect();
    const { rows, columns } = now.map;
    const [row, column] = [Math.floor((rows * (clientY - top)) / height), Math.floor((columns * (clientX - left)) / width)];
    return row >= 0 && column >= 0 && row < rows && column < columns ? { row, column } : null;
  }

  function onPointer(event) {
    const isWholeMap = now.place.row === undefined;
    const pixel = pixelUnder(event);
    const isChosen = event.type === "pointerdown" || (!isWholeMap && event.buttons);
    if (pixel && isChosen) choosePixel(pixel);
    else if (isWholeMap) point(pixel, false);
  }

  for (const type of ["pointermove", "pointerdown", "pointerleave"]) parts.large.addEventListener(type, onPointer);
  root.addEventListener("keydown", onKey);
  return { update };
}

function buildLevels(root) {
  root.classList.add("levels");
  root.setAttribute("data-lm-suppress-shortcuts", true);
  const trail = add(add(root, "nav", { "aria-label": "where you are" }), "ol", { class: "trail" });
  const top = add(root, "div", { class: "top" });
  const large = drawTile(top, { rows: 1, columns: 1, values: [0] }, "", (row, column) => ({ row, column, size: 1 }));
  large.classList.add("large");
  large.setAttribute("role", "application"); // arrow keys are for the map, not for the screen reader
  large.setAttribute("tabindex", 0);
  large.setAttribute("data-lm-suppress-shortcuts", true);
  const words = add(top, "div", { class: "words" });
  const product = add(words, "div", { class: "product" });
  const said = add(words, "p");
  const status = add(words, "p", { class: "status", role: "status" });
  const acts = add(words, "div", { class: "acts" });
  const strip = add(root, "div", { class: "strip" });
  return { trail, large, product, said, status, acts, strip };
}

function stepsIn({ channel, row, source }) {
  return [channel, row, source].filter((part) => part !== undefined).length;
}

function brightest({ columns, values }) {
  const most = values.indexOf(spread(values)[1]);
  return { row: Math.floor(most / columns), column: most % columns };
}

// What was chosen becomes what is looked at: it starts where it was, as large as it was.
function growFrom(from, grown) {
  const to = grown.getBoundingClientRect();
  const move = `translate(${from.x - to.x}px, ${from.y - to.y}px)`;
  const shrink = `scale(${from.width / to.width}, ${from.height / to.height})`;
  const [first, last] = [`${move} ${shrink}`, "none"].map((transform) => ({ transform, transformOrigin: "0 0" }));
  grown.animate([{ ...first, opacity: 0.5 }, last], { duration: GROW_MS, easing: "ease-out" });
}
