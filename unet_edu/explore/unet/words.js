// What the levels say in words: what one looks at, and how it was computed.

import { number } from "../cells.js";
import { layerWords } from "./parts.js";
import { cameFrom, countProducts } from "./sums.js";

export function titleOf({ net, layer, place }) {
  const words = layerWords(net.layers, layer.name);
  if (layer.kind === "input") return words;
  return `${words}, ${layer.kind === "head" ? "score of class" : "map"} ${place.channel}`;
}

// A map of the layer before. Of a join, the first half came across.
export function sourceWords(net, from, channel) {
  if (from.kind === "input") return "the picture";
  const half = from.channels / 2;
  if (from.kind === "join" && net.skip === "concat") return channel < half ? `copy ${channel}` : `step up ${channel - half}`;
  return `map ${channel}`;
}

// What there is to say of a place: how it came about (`said`), and its number (`status`, for screen readers too).
export function wordsFor(now) {
  const { layer: { kind }, place, state } = now;
  if (place.source !== undefined) return productWords(now);
  const isWholeMap = place.row === undefined;
  const said = [
    isWholeMap ? mapWords[kind](now) : sumWords[kind](now),
    state.muted.includes(`${place.layer}:${place.channel}`) && "The map is muted, so 0 goes on.",
    !isWholeMap && now.sum && "Click on a number to see its product.",
  ];
  const status = isWholeMap ? "Click on a pixel to see how it came about." : pixelWords(now.map, place);
  return { said: said.filter(Boolean).join(" "), status };
}

export function pixelWords({ columns, values }, { row, column }) {
  return `row ${row}, column ${column}: ${number(values[row * columns + column])}`;
}

const mapWords = {
  input: () => "The picture itself: numbers from 0, black, to 1, white. Nothing comes before it.",
  conv: ({ before: [from] }) =>
    (from.channels === 1
      ? "The picture is convolved with a 3×3 kernel."
      : `${from.channels} maps of the layer before, each convolved with a 3×3 kernel of its own, are added up.`) +
    " Then the bias is added, and ReLU turns what is below 0 into 0.",
  up: ({ before: [from] }) =>
    `Each pixel of ${many(from.channels, "map")} lays a stamp of 2×2 numbers: its own number times four weights. ` +
    "The stamps of all maps are added up, and the bias.",
  pool: () => "Max pooling: of each 2×2 numbers the largest stays. Half the rows and half the columns are left.",
  join: (now) => joinWords(now, now.net.product(now.layer.name, now.place.channel, 0, 0)),
  head: ({ before: [from] }) =>
    `${many(from.channels, "map")}, each times one weight, and the bias make the score of a class. There is no ReLU. ` +
    "The difference of the two scores says how probable a class is.",
};

function joinWords({ net, before: [across, up] }, { how, terms: [first] }) {
  if (how !== "concat") return `The copy and the step up, ${how === "add" ? "added" : "multiplied"} number by number.`;
  const from = `map ${first.channel} of ${layerWords(net.layers, first.from)}`;
  const half = `The next convolution reads ${across.channels} copies and ${many(up.channels, "map")} that came up.`;
  if (first.copy === "zeroed") return `Here the copy of ${from} would be. It is switched off: zeros stand in its place. ${half}`;
  if (first.copy === "another") return `A copy of ${from}, but of another picture. ${half}`;
  return `${first.copy ? "Copied across the U" : "What came up from below"}, number by number: ${from}. ${half}`;
}

const sumWords = {
  input: () => "",
  conv: ({ pixel: { terms, bias, total } }) =>
    [
      `${many(terms.length, "window")} of 3×3 numbers, times ${terms.length === 1 ? "its kernel, adds" : "their kernels, add"}`,
      `up to ${number(total - bias)}. With the bias, ${number(bias)}, that is ${number(total)}.`,
      `ReLU ${total > 0 ? "lets it through" : "makes it 0"}.`,
    ].join(" "),
  up: ({ pixel: { terms, bias, total } }) =>
    `${many(terms.length, "stamp")}, one of each map, overlap here; each gives the corner that lies on this pixel. ` +
    `They add up to ${number(total - bias)}, with the bias, ${number(bias)}, to ${number(total)}.`,
  pool: ({ pixel: { terms: [{ window }], largest } }) =>
    `The largest of ${window.map(number).join(", ")} is ${number(window[largest])}. The other three go no further.`,
  join: (now) => joinWords(now, now.pixel),
  head: ({ pixel: { terms, bias, total }, place, other }) =>
    `${many(terms.length, "number")}, each times its weight, and the bias, ${number(bias)}, make the score ${number(total)}. ` +
    differenceWords(place.channel, other, total - other),
};

function differenceWords(channel, other, difference) {
  const probability = `the probability of class ${channel} is 1 / (1 + e⁻ᵈ) = ${number(sigmoid(difference))}`;
  return `The other score is ${number(other)}, so the difference d is ${number(difference)}, and ${probability}.`;
}

function productWords({ net, layer, before: [from], place, pixel: { steps, terms, bias, total } }) {
  const { row, column, window, kernel, products, product } = steps.find(({ channel }) => channel === place.source);
  const side = Math.sqrt(window.length);
  const [down, right] = [Math.floor(place.tap / side), place.tap % side];
  const [y, x] = [row + down, column + right];
  const isOutside = y < 0 || x < 0 || y >= from.rows || x >= from.columns;
  const weight = {
    conv: `the weight in row ${down}, column ${right} of its kernel`,
    up: "the weight of this corner of its stamp",
    head: "its weight",
  };
  const sums = [
    layer.kind === "conv" && `the nine products of this window are ${number(product)} together`,
    terms.length > 1 && `those of all ${terms.length} maps ${number(total - bias)}`,
    `with the bias ${number(total)}`,
    layer.kind === "conv" && `after ReLU ${number(Math.max(0, total))}`,
  ];
  const said = [
    `Row ${number(y)}, column ${number(x)} of ${sourceWords(net, from, place.source)}`,
    isOutside ? "(outside of the picture: 0)," : ",",
    `times ${weight[layer.kind]}. In the sum: ${sums.filter(Boolean).join("; ")}.`,
    `It is one of ${countProducts(net).toLocaleString("en")} products behind this answer.`,
  ].join(" ").replace(" ,", ",");
  const equation = `${number(window[place.tap])} × ${number(kernel[place.tap])} = ${number(products[place.tap])}`;
  return { said, status: equation, equation, products };
}

// Where a reader may go from here, { words, place }; what may be changed, { words, changes }; more or fewer sources, { words }.
export function actsFor(now) {
  const { net, layer, before, place, sum, pixel, isWhole } = now;
  const acts = [];
  if (place.source === undefined && (sum?.others || isWhole))
    acts.push({ words: isWhole ? "show the strongest" : `show all ${before[0].channels}` });
  if (layer.kind === "pool" && pixel) acts.push({ words: "go to where it came from", place: cameFrom(pixel) });
  if (layer.kind === "join") acts.push(...actsForJoin(now));
  if (layer.kind === "head")
    acts.push({ words: `the score of class ${1 - place.channel}`, place: { ...place, channel: 1 - place.channel } });
  return acts;
}

function actsForJoin({ net, layer, place, state, pixel }) {
  const { terms } = net.product(layer.name, place.channel, place.row ?? 0, place.column ?? 0);
  const { copy } = terms[0]; // what became of it, where this is one
  const isOff = copy === "zeroed";
  const acts = [];
  if (pixel && terms.length === 1 && !isOff && copy !== "another")
    acts.push({ words: "go to where it came from", place: cameFrom({ ...pixel, terms }) });
  if (copy) {
    const copies = state.copies.with(layer.level, isOff ? "kept" : "zeroed");
    acts.push({ words: `switch the copy of level ${layer.level} ${isOff ? "on" : "off"}`, changes: { copies } });
  }
  return acts;
}

export function sigmoid(value) {
  return 1 / (1 + Math.exp(-value));
}

function many(count, thing) {
  return count === 1 ? `One ${thing}` : `${count} ${thing}s`;
}
