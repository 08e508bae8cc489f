// The size explorer: which sides fit through a U-Net, and what each of its blocks costs. All of it is computed here; a test holds
// every number and every sentence equal to those of sizes.py, which has them from the library.
//
//   mount(root, { state, fields, colours })

import { add, button, quiet } from "./dom.js";
import { controls } from "./controls.js";

// ---- sides, costs, and what a pixel sees ---------------------------------------------------------------------------------------

const TAPS = { contracting: 9, expanding: 9, up: 4, head: 1 }; // the numbers in a kernel
const TITLES = {
  input: () => "the image",
  contracting: (level, nth) => `level ${level}, way down: ${nth} 3×3 convolution`,
  pool: (level) => `level ${level - 1} → ${level}: 2×2 max pooling`,
  up: (level) => `level ${level + 1} → ${level}: 2×2 transposed convolution`,
  join: (level) => `level ${level}: what comes across, joined`,
  expanding: (level, nth) => `level ${level}, way up: ${nth} 3×3 convolution`,
  head: () => "1×1 convolution, the scores",
};

// The blocks in the order of the computation, with the names that the library's layer_table gives them.
function names({ depth, skip }) {
  const numbers = [...Array(depth).keys()];
  const two = (way, number) => [`${way}.${number}.0`, `${way}.${number}.2`];
  const down = numbers.flatMap((level) => [...two("contracting", level), `pool.${level}`]);
  const joined = (step) => (skip === "none" ? [] : [`join.${step}`]);
  const up = numbers.flatMap((step) => [`up.${step}`, ...joined(step), ...two("expanding", step)]);
  return ["input", ...down, ...two("contracting", depth), ...up, "head"];
}

// The image walks through the network. From the block on that it cannot pass there is no side, and nothing that follows from it.
function walk(state) {
  const lost = state.padding === "valid" ? 2 : 0;
  const blocks = [];
  for (const name of names(state)) {
    const isUp = /^(up|join|expanding|head)/.test(name);
    const [part, number = isUp ? state.depth - 1 : 0, layer] = name.split(".");
    const level = isUp ? state.depth - 1 - number : Number(number) + (part === "pool");
    const before = blocks.at(-1) ?? { side: state.size, channels: 1 };
    const taps = TAPS[part] ?? 0;
    let channels = { input: 1, head: 2, pool: before.channels }[part] ?? state.width * 2 ** level;
    if (part === "join" && state.skip === "concat") channels *= 2;
    let side = before.side;
    if (side && part in { pool: 1, up: 1 }) side *= part === "pool" ? 0.5 : 2;
    if (side && taps === 9) side -= lost;
    if (side < 1 || side % 1) side = null;
    const weights = before.channels * taps * channels;
    blocks.push({
      name, part, level, channels, side, taps, from: before.side, reads: before.channels,
      column: (isUp ? 4 * state.depth - 2 * level : 2 * level) + ({ 0: 1, 2: 2 }[layer] ?? 3 * (part === "head")),
      title: TITLES[part](level, layer === "0" ? "1st" : "2nd"),
      parameters: weights && weights + channels,
      multiplyAdds: side ? weights * (part === "up" ? before.side : side) ** 2 : 0, // an up meets each pixel that comes in
      bytes: side ? 4 * channels * side ** 2 : 0,
    });
  }
  return blocks;
}

// The sides of the squares of the image that a pixel of a block sees: back through the blocks to the image. On the way up it depends
// on where the pixel lies in the windows of the poolings, so all places are tried.
function seen(blocks, block, { depth, padding }) {
  const back = blocks.slice(0, blocks.indexOf(block) + 1).reverse();
  const before = padding === "valid" ? 0 : 1; // a valid convolution counts its pixels from one further inside
  const found = new Set();
  for (let pixel = 0; pixel < 2 ** depth; pixel++) {
    let [first, last] = [pixel, pixel];
    for (const { part, taps } of back) {
      if (taps === 9) [first, last] = [first - before, last + 2 - before];
      if (part === "pool") [first, last] = [2 * first, 2 * last + 1];
      if (part === "up") [first, last] = [first >> 1, last >> 1];
    }
    found.add(last - first + 1);
  }
  return [...found].sort((one, other) => one - other);
}

// The smallest legal side that is at least as large; unet_edu/sizes.py says why.
function legalSide(side, { depth, padding }) {
  const step = 2 ** depth;
  const smallest = padding === "same" ? step : step * (12 - Math.floor(3 / step)) - 4;
  return Math.max(smallest, side + ((smallest - side) & (step - 1)));
}

// Why the image does not fit, in the words of the library's error; nothing when it does.
function problem(state, blocks) {
  const failing = blocks.find((block) => !block.side);
  if (!failing) return "";
  const odd = `is ${failing.from} when it reaches the pooling of level ${failing.level - 1}, and 2×2 pooling needs an even side`;
  const small = `is too small: the convolutions of ${state.depth + 1} levels leave nothing of it`;
  const above = legalSide(state.size, state);
  const below = above - 2 ** state.depth;
  const near = below < legalSide(1, state) ? `side is ${above}` : `sides are ${below} and ${above}`;
  return `a side of ${state.size} pixels ${failing.part === "pool" ? odd : small}; the nearest legal ${near}`;
}

// ---- words ---------------------------------------------------------------------------------------------------------------------

const commas = new Intl.NumberFormat("en-US").format;
const times = (...numbers) => numbers.map(commas).join(" × ");

// With one digit behind the point; a half goes up, as in Python.
function tenths(number, size, unit) {
  const count = Math.floor((10 * number + size / 2) / size);
  return `${commas(Math.floor(count / 10))}.${count % 10} ${unit}`;
}

const billions = (n) => (n >= 1e9 ? tenths(n, 1e9, "billion") : n >= 1e6 ? tenths(n, 1e6, "million") : commas(n));
const megabytes = (n) => (n >= 1e5 ? tenths(n, 1e6, "MB") : tenths(n, 1e3, "kB"));

// The whole network in a line; or where the image gets stuck.
function summary(state, blocks) {
  const said = problem(state, blocks);
  if (said) return `✗ A${said.slice(1)}.`;
  const sum = (what) => blocks.slice(1).reduce((total, block) => total + block[what], 0); // all but the image
  const [size, out] = [state.size, blocks.at(-1).side];
  const lost = out < size ? `${size - out} pixels fewer` : "nothing lost";
  const costs = `${billions(sum("multiplyAdds"))} multiply-adds, ${megabytes(sum("bytes"))} of feature maps`;
  return `${size} × ${size} in, ${out} × ${out} out: ${lost}. ${commas(sum("parameters"))} parameters, ${costs}.`;
}

// What there is to say of a block, with names.
function note(state, blocks, block) {
  const { part, channels, side, taps, parameters, reads, from } = block;
  const [kernel, meets, where] = { 9: ["3·3", side, "out"], 4: ["2·2", from, "in"], 1: ["1·1", side, "out"] }[taps] ?? [];
  const squares = seen(blocks, block, state);
  const sees = squares.map((square) => times(square, square)).join(" or ");
  const rows = {
    "channels × rows × columns": side ? times(channels, side, side) : "the image does not get here",
    parameters: taps ? `${commas(reads)} · ${kernel} · ${commas(channels)} + ${commas(channels)} = ${commas(parameters)}` : "0",
  };
  if (side) {
    const products = `${commas(parameters - channels)} weights · ${commas(meets ?? 0)}² = ${billions(block.multiplyAdds)}`;
    rows["multiply-adds"] = taps ? `${products} (each weight meets each pixel that comes ${where})` : "none";
    rows["memory, float32"] = `${commas(channels)} · ${commas(side)}² · 4 bytes = ${megabytes(block.bytes)}`;
  }
  const pixels = squares[0] === 1 ? "pixel" : "pixels";
  rows["one pixel of it sees"] = `${sees} ${pixels} of the image${squares.length > 1 ? ", depending on where it lies" : ""}`;
  if (part === "join") rows["what comes across"] = cropped(state, copied(blocks, block).side, side);
  return rows;
}

// What a copy is made of: the last block of its level on the way down.
const copied = (blocks, { level }) => blocks.findLast((block) => block.part === "contracting" && block.level === level);

function cropped({ skip }, whole, kept) {
  const joined = { concat: "put behind each other", add: "added number by number", multiply: "multiplied number by number" }[skip];
  if (!whole || !kept) return `nothing yet; the two would be ${joined}`;
  const how = whole === kept ? "nothing is cropped" : `cropped by ${(whole - kept) / 2} on each side to ${kept} × ${kept}`;
  return `${whole} × ${whole}, ${how}; the two are ${joined}`;
}

function alt({ depth, width, padding, skip }, caption, crops) {
  const widths = [...Array(depth + 1).keys()].map((level) => width * 2 ** level).join(", ");
  const across = skip === "none" ? "" : ` At each of the upper levels a copy goes across (${skip}).`;
  const labels = crops.map((crop) => crop.label).reverse().join(", ");
  const cut = labels && ` The copies are cropped, from the top: ${labels}.`;
  return `A U-Net drawn as a U of blocks: ${depth + 1} levels with ${widths} channels, padding ${padding}.${across}${cut} ${caption}`;
}

// ---- the U, laid out -----------------------------------------------------------------------------------------------------------

const [PAGE, FOOT] = [860, 398]; // pixels: the width, and the foot of the lowest block whatever the depth; as in figures/unet.py
const [LETTER, LEAST, SQUARE, ROOM] = [12, 9, 34, 46];
const NARROW = 30; // from one block to the next: where less is left, fewer words are written
const ROLES = { input: "neutral", contracting: "input", pool: "input", join: "skip" }; // the others are of the output

function layOut(state, blocks, page = PAGE) {
  const { depth } = state;
  const pitch = Math.min(62, page / (4 * depth + 4));
  const left = (page - pitch * (4 * depth + 4)) / 2;
  const isNarrow = pitch < NARROW;
  const levels = [...Array(depth + 1).keys()];
  const roots = levels.map((level) => Math.sqrt(0.5 ** level));
  const share = (FOOT - LETTER - 8 - depth * ROOM - (depth + 1) * LEAST) / roots.reduce((sum, root) => sum + root);
  const tall = (root) => LEAST + share * root; // a block is the higher the larger its image
  const above = (level) => roots.slice(0, level).reduce((y, root) => y + tall(root) + ROOM, LETTER + 8);
  const middles = levels.map((level) => above(level) + tall(roots[level]) / 2);
  const largest = Math.max(...blocks.map((block) => block.side));

  const drawn = blocks.map(({ name, part, level, column, channels, side, title }) => {
    const isHalf = state.skip !== "none" && part in { up: 1, join: 1 }; // of what the next convolution reads
    const isNamed = !(isHalf && part === "up") && !(isNarrow && /\d\.0$/.test(name));
    let width = Math.min((isNarrow ? 0.5 : 0.66) * pitch, 5 + 3.4 * channels ** 0.28);
    if (isHalf) width = Math.max(isNarrow ? 6 : 9, width / 2);
    const height = side ? tall(Math.sqrt(side / largest)) : 0.8 * tall(roots[level]);
    return {
      name, part, level, side, title, width, height,
      x: left + pitch * (column + 0.5) - (isHalf ? (part === "join" ? width : 0) : width / 2),
      y: middles[level] - height / 2,
      role: ROLES[part] ?? "output",
      above: isNamed ? `${channels}` : "",
      below: isNamed && side && !(isNarrow && part === "head") ? `${side}` : "",
    };
  });

  const failing = drawn.find((block) => !block.side);
  const path = drawn.filter((block) => block.part !== "join");
  const arrows = path.slice(1).map((after, n) => arrow(path[n], after, after === failing));
  const crops = [];
  for (const copy of drawn.filter((block) => block.part === "join")) {
    const source = copied(drawn, copy);
    const across = { ...arrow(source, { ...copy, part: "copy" }, false), isReached: Boolean(copy.side) };
    arrows.push(across);
    const margin = (source.side - copy.side) / 2;
    const label = margin ? `−${margin} a side` : "whole";
    const mark = !isNarrow ? label : margin ? `−${margin}` : "all";
    const side = Math.min(SQUARE, 0.8 * pitch);
    const [x, y] = [(across.start[0] + across.end[0] - side) / 2, across.start[1] - side / 2];
    if (copy.side) crops.push({ x, y, side, kept: (side * copy.side) / source.side, label, mark });
  }
  const middle = left + pitch * (2 * depth + 1.5);
  const texts = levels.map((level) => [level && isNarrow ? 18 : middle, middles[level] - SQUARE / 2 - 4, `level ${level}`]);
  texts[depth] = [middle + 1.4 * pitch + 72, middles[depth] + 4, `level ${depth}, the bottom`];
  return { blocks: drawn, arrows, crops, texts, failure: failing ? failure(drawn, failing) : null };
}

function arrow(before, after, isFailure) {
  const kind = after.part in KINDS ? after.part : "convolution";
  const y = before.y + before.height / 2;
  let [start, end] = [[before.x + before.width + 2, y], [after.x - 2, y]];
  if (kind === "pool" || kind === "up") {
    const [from, to, above] = kind === "pool" ? [before, after, after] : [after, before, before];
    const x = above.x + above.width / 2;
    [start, end] = [[x, from.y + from.height + LETTER + 3], [x, to.y - LETTER - 3]];
    if (kind === "up") [start, end] = [end, start];
  }
  return { start, end, kind, isReached: Boolean(before.side && after.side), isFailure };
}

// What stands where the image gets no further.
function failure(drawn, { part, level, x, y, width, height }) {
  const middle = x + width / 2;
  if (part !== "pool") return [middle, y + height + 14, "nothing is left ✗"];
  return [middle - 6, y - ROOM / 2, `${copied(drawn, { level: level - 1 }).side} is odd ✗`];
}

function scene(state, page) {
  const blocks = walk(state);
  const drawing = layOut(state, blocks, page);
  const caption = summary(state, blocks);
  return { blocks, drawing, caption, alt: alt(state, caption, drawing.crops) };
}

// ---- painting ------------------------------------------------------------------------------------------------------------------

const KINDS = {
  convolution: ["neutral", "3×3 convolution, ReLU"],
  pool: ["input", "2×2 max pooling"],
  up: ["output", "2×2 transposed convolution"],
  copy: ["skip", "copy and crop"],
  head: ["kernel", "1×1 convolution"],
};

function paint(svg, { drawing, alt }, page) {
  svg.replaceChildren();
  const box = (parent, name, x, y, width, height) => add(parent, "rect", { class: name, x, y, width, height });
  const words = (parent, x, y, text, name = "") => add(parent, "text", { class: name, x, y }, text);
  svg.setAttribute("aria-label", alt);
  svg.setAttribute("width", page);
  svg.setAttribute("font-size", page < 530 ? 9 : 11);
  for (const { start: [x1, y1], end: [x2, y2], kind, isReached, isFailure } of drawing.arrows) {
    const [u, v] = [Math.sign(x2 - x1), Math.sign(y2 - y1)]; // it goes straight across, up or down
    const length = Math.min(6, Math.hypot(x2 - x1, y2 - y1));
    const head = [-3, 3].map((side) => `L${x2 - length * u + side * v} ${y2 - length * v + side * u}`);
    const crop = kind === "copy" && drawing.crops.find((crop) => crop.y < y1 && y1 < crop.y + crop.side);
    const open = crop ? `H${crop.x}M${crop.x + crop.side} ${y1}` : ""; // there the copy itself is seen
    const group = add(svg, "g", { class: `${isFailure ? "error" : KINDS[kind][0]} ${kind} ${isReached ? "" : "missed"}` });
    add(group, "path", { class: "shaft", d: `M${x1} ${y1}${open}L${x2 - length * u} ${y2 - length * v}` });
    add(group, "path", { class: "head", d: `M${x2} ${y2}${head.join("")}Z` });
  }
  for (const { x, y, side, kept, mark } of drawing.crops) {
    const group = add(svg, "g", { class: "skip" });
    box(group, "whole", x, y, side, side);
    box(group, "kept", x + (side - kept) / 2, y + (side - kept) / 2, kept, kept);
    words(group, x + side / 2, y + side + LETTER, mark);
  }
  for (const [x, y, text] of drawing.texts) words(svg, x, y, text, "neutral");
  for (const { name, part, title, side, role, x, y, width, height, above, below } of drawing.blocks) {
    const said = `${title}, ${side ? `${side} pixels a side` : "not reached"}`;
    const group = add(svg, "g", { class: `${role} ${side ? "" : "missed"}`, "data-block": name, role: "button", "aria-label": said });
    add(group, "title", {}, said);
    box(group, "hit", x - 4, y - 16, width + 8, height + 32);
    box(group, "block", x, y, width, height);
    const middle = part === "join" ? x + width : x + width / 2;
    words(group, middle, y - 4, above);
    words(group, middle, y + height + LETTER, below);
  }
  if (!drawing.failure) return;
  const [x, y, sign] = drawing.failure;
  const begins = x < 7 * sign.length; // to the left there is no room for it
  words(svg, begins ? x + 12 : x, y + 4, sign, `error failure ${begins ? "begins" : ""}`);
}

export function mount(root, { state, fields, colours }) {
  root.classList.add("unet-sizes");
  for (const [role, colour] of Object.entries(colours)) root.style.setProperty(`--${role}`, colour);
  let page = 0; // pixels: how wide the U is drawn
  let drawn = null;
  const top = add(root, "div");
  const caption = add(root, "p", { class: "caption", role: "status" });
  const frame = add(root, "div", { class: "frame" });
  const svg = quiet(add(frame, "svg", { role: "group", height: FOOT + LETTER + 8 }));
  const legend = add(frame, "p", { class: "legend" });
  for (const [kind, [role, words]] of Object.entries(KINDS)) add(legend, "span", { class: `${role} ${kind}` }, words);
  const walk = add(root, "div", { class: "bar" });
  const about = add(root, "div", { class: "about", role: "status" });

  const { change } = controls(top, fields, state, () => "", (next) => show({ ...next, block: state.block }));
  const legal = add(top, "div", { class: "bar" });
  top.querySelector(".bar").after(legal); // below the slider
  const sides = ["below", "above"].map((way) => button(legal, way, "", () => change({ size: neighbour(way) })));
  const steps = [["← block before", -1], ["block after →", 1]].map(([words, step]) => button(walk, words, words, () => go(step)));

  // The next legal side; null where there is none, or none on the slider.
  function neighbour(way) {
    const side = way === "above" ? legalSide(state.size + 1, state) : legalSide(state.size, state) - 2 ** state.depth;
    return side < legalSide(1, state) || side > fields[0].high ? null : side;
  }

  const node = (name) => svg.querySelector(`[data-block="${name}"]`);
  const place = () => drawn.blocks.findIndex((block) => block.name === state.block);

  function show(next) {
    const hadFocus = svg.contains(root.getRootNode().activeElement);
    state = next;
    drawn = scene(state, page);
    paint(svg, drawn, page);
    caption.textContent = drawn.caption;
    legend.classList.toggle("alone", state.skip === "none");
    for (const side of sides) {
      const found = neighbour(side.dataset.key);
      side.disabled = !found;
      side.textContent = found ? `legal side ${side.dataset.key}: ${found}` : `no legal side ${side.dataset.key}`;
    }
    choose(node(state.block) ? state.block : `contracting.${state.depth}.2`); // a shallower network lacks some
    if (hadFocus) node(state.block).focus({ preventScroll: true });
  }

  function choose(block) {
    state = { ...state, block };
    for (const one of svg.querySelectorAll("[data-block]")) {
      one.setAttribute("aria-pressed", one.dataset.block === block);
      one.setAttribute("tabindex", one.dataset.block === block ? 0 : -1); // one stop for the Tab key; arrows go on
    }
    const chosen = drawn.blocks[place()];
    steps[0].disabled = place() === 0;
    steps[1].disabled = chosen === drawn.blocks.at(-1);
    about.replaceChildren();
    add(about, "b", {}, chosen.title);
    const table = add(about, "table");
    for (const [name, words] of Object.entries(note(state, drawn.blocks, chosen))) {
      const row = add(table, "tr");
      add(row, "th", { scope: "row" }, name);
      add(row, "td", {}, words);
    }
  }

  const go = (step) => choose((drawn.blocks[place() + step] ?? drawn.blocks[place()]).name);

  svg.addEventListener("click", (event) => {
    const block = event.target.closest("[data-block]");
    if (!block) return;
    choose(block.dataset.block);
    block.focus({ preventScroll: true });
  });
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    go(step);
    node(state.block).focus({ preventScroll: true });
  });
  new ResizeObserver(() => {
    const width = Math.min(PAGE, Math.max(320, frame.clientWidth));
    if (width === page) return;
    page = width;
    show(state);
  }).observe(frame);
}
