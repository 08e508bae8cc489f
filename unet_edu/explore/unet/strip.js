// The columns below a map: one for each source. Each row is one step of the computation, and from left to right the sum grows.

import { add } from "../dom.js";
import { number } from "../cells.js";
import { largestOf, sizeOf, windowOf } from "./sums.js";
import { drawNumbers, drawTile, levelsButton, usualSize } from "./tiles.js";
import { sigmoid, sourceWords } from "./words.js";

export function drawStrip(strip, now, choose) {
  strip.replaceChildren();
  strip.dataset.kind = now.place.row === undefined ? "map" : "pixel";
  if (now.sum && now.pixel) drawPixelSum(strip, now, choose);
  else if (now.sum) drawMapSum(strip, now, choose);
  else if (now.before.length) drawOrigin(strip, now, choose);
  strip.dataset.room = strip.children.length < 6 ? "much" : "little";
  strip.dataset.sum = Boolean(now.sum);
}

function drawHeads(strip, heads) {
  strip.style.setProperty("--rows", heads.length);
  const column = add(strip, "div", { class: "column heads", "aria-hidden": true });
  for (const head of heads) add(column, "span", {}, head);
}

function drawColumn(strip, name, kind = "") {
  const column = add(strip, "div", { class: `column ${kind}`, role: "group", "aria-label": name });
  add(column, "span", { class: "name" }, name);
  return column;
}

function drawSource(column, { net, layer }, from, channel, choose) {
  const reach = (row, column) => windowOf(layer, from, row, column);
  const words = `${sourceWords(net, from, channel)}: go there`;
  const onChoose = (tile) => choose({ layer: from.name, channel }, tile);
  return drawTile(column, net.map(from.name, channel), words, reach, { onChoose });
}

const itself = (row, column) => ({ row, column, size: 1 });

// ---- a map as a sum of maps --------------------------------------------------------------------------------------------------

function drawMapSum(strip, now, choose) {
  const { net, layer, before: [from], sum: { steps, others, bias, total } } = now;
  const sums = [...steps, ...(others ? [others] : [])];
  const maps = [...sums.flatMap(({ map, soFar }) => [map, soFar]), total];
  const most = Math.max(...maps.map(({ values }) => usualSize(values)));
  const heaviest = Math.max(...steps.map(({ kernel }) => sizeOf(kernel)));
  const signed = (column, map, words) => drawTile(column, map, words, itself, { most });
  const weights = { conv: "∗ its kernel", up: "its stamp", head: "× its weight" }[layer.kind];
  drawHeads(strip, ["", "map before", weights, "= adds", "sum so far"]);
  steps.forEach(({ channel, kernel, map, soFar }, k) => {
    const column = drawColumn(strip, sourceWords(net, from, channel));
    drawSource(column, now, from, channel, choose);
    const words = `its weights: ${kernel.map(number).join(", ")}`;
    drawNumbers(column, kernel, { most: heaviest, words }).classList.add("colours");
    signed(column, map, "what it adds");
    signed(column, soFar, `the sum of ${k + 1}`);
  });
  if (others) {
    const column = drawColumn(strip, `${others.count} others`, "end");
    signed(column, others.map, "what all others add");
    signed(column, others.soFar, "the sum of all");
  }
  const added = `${bias < 0 ? "−" : "+"} ${number(Math.abs(bias))}`;
  drawMapEnd(strip, "bias", added, (column) => signed(column, total, "the sum with the bias"));
  if (layer.kind === "conv") drawMapEnd(strip, "ReLU", "below 0: 0", (column) => drawTile(column, now.map, "the map", itself));
  if (now.otherMap) drawProbability(strip, now, signed);
}

function drawMapEnd(strip, name, words, draw) {
  const column = drawColumn(strip, name, "end");
  add(column, "span", { class: "step" }, words);
  draw(column);
}

// Of two classes: by how much this score is larger than the other, squeezed to 0 … 1.
function drawProbability(strip, { map, otherMap }, signed) {
  const difference = { ...map, values: map.values.map((value, k) => value - otherMap.values[k]) };
  drawMapEnd(strip, "− other", "difference", (column) => signed(column, difference, "the difference of the scores"));
  const probability = { ...map, values: difference.values.map(sigmoid) };
  drawMapEnd(strip, "probability", "", (column) => drawTile(column, probability, "the probability", itself));
}

// ---- a pixel as a sum of windows ---------------------------------------------------------------------------------------------

function drawPixelSum(strip, now, choose) {
  const { layer, pixel: { steps, others, bias, total, value } } = now;
  const scales = {
    weight: Math.max(...now.sum.steps.map(({ kernel }) => sizeOf(kernel))),
    sum: Math.max(Math.abs(total), ...steps.flatMap(({ product, soFar }) => [Math.abs(product), Math.abs(soFar)])),
  };
  const [window, kernel] = PIXEL_HEADS[layer.kind];
  drawHeads(strip, ["", "map before", window, kernel, "= adds", "sum so far"]);
  steps.forEach((step, k) => drawWindow(strip, now, step, now.sum.steps[k].kernel, scales, choose));
  if (others) drawPixelEnd(strip, `${others.count} others`, others.product, others.soFar, scales.sum);
  drawPixelEnd(strip, "bias", bias, total, scales.sum);
  if (layer.kind === "conv") drawPixelEnd(strip, "ReLU", null, value, scales.sum);
  if (now.other === undefined) return;
  drawPixelEnd(strip, "− other", -now.other, total - now.other, scales.sum);
  drawPixelEnd(strip, "probability", null, sigmoid(total - now.other), 1);
}

const PIXEL_HEADS = {
  conv: ["its window", "× its kernel"],
  up: ["its pixel", "× corner of stamp"],
  head: ["its pixel", "× its weight"],
};

// The window and its kernel are one button: it leads to their products, and where it is clicked says to which.
function drawWindow(strip, now, step, kernel, scales, choose) {
  const { net, layer, before: [from], place } = now;
  const isChosen = place.source === step.channel;
  const name = sourceWords(net, from, step.channel);
  const column = drawColumn(strip, name, isChosen ? "chosen" : "");
  const source = drawSource(column, now, from, step.channel, choose);
  const both = levelsButton(column, "", (event) => {
    const cell = event.target.closest("[data-tap]");
    const tap = cell && layer.kind === "conv" ? Number(cell.dataset.tap) : largestOf(step.products);
    choose({ ...place, source: step.channel, tap }, cell ?? both);
  });
  both.classList.add("both");
  both.dataset.key = `source-${step.channel}`;
  both.setAttribute("aria-pressed", isChosen);
  const [numbers, weights] = [step.window, step.kernel].map((values) => values.map(number).join(", "));
  both.setAttribute("aria-label", `${name}: ${numbers}, times ${weights}, is ${number(step.product)}; show one product`);
  const tap = isChosen ? place.tap : undefined;
  const corner = 2 * (place.row % 2) + (place.column % 2);
  drawNumbers(both, step.window, { most: sizeOf(source.map.values), colour: "grey", chosen: tap });
  drawNumbers(both, kernel, { most: scales.weight, chosen: layer.kind === "up" ? corner : tap });
  drawAmount(column, step.product, scales.sum);
  drawAmount(column, step.soFar, scales.sum);
}

function drawAmount(column, value, most) {
  drawNumbers(column, [value], { most }).classList.add("amount");
}

function drawPixelEnd(strip, name, step, soFar, most) {
  const column = drawColumn(strip, name, "end");
  if (step === null) add(column, "span", { class: "step" });
  else drawAmount(column, step, most);
  drawAmount(column, soFar, most);
}

// ---- what is no sum: the largest of four, or what was joined ------------------------------------------------------------------

function drawOrigin(strip, now, choose) {
  const { net, layer, before, place } = now;
  const { row = 0, column = 0 } = place;
  const found = net.product(layer.name, place.channel, row, column);
  const isPool = layer.kind === "pool";
  const heads = ["", "map before", now.pixel && (isPool ? "its four numbers" : "the number"), isPool && "what stays"];
  drawHeads(strip, heads.filter((head) => typeof head === "string"));
  for (const term of found.terms) {
    const from = before.find(({ name }) => name === term.from);
    const box = drawColumn(strip, sourceWords(net, from, term.channel));
    const source = drawSource(box, now, from, term.channel, choose);
    const most = sizeOf(source.map.values);
    if (now.pixel) drawNumbers(box, term.window ?? [term.value], { most, colour: "grey", chosen: found.largest });
    if (isPool && now.pixel) drawAmount(box, found.value, most);
    else if (isPool) drawTile(box, keptBy(now.map, source.map), "the largest of each four numbers", source.reach);
  }
}

// The map before pooling, with only those numbers that stay.
function keptBy(pooled, map) {
  const largest = (k) => pooled.values[(Math.floor(k / map.columns) >> 1) * pooled.columns + ((k % map.columns) >> 1)];
  return { ...map, values: map.values.map((value, k) => (value === largest(k) ? value : 0)) };
}
