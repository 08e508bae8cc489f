// The U: all maps of all layers, in the arrangement of figures/unet.py, and as wide as the layer has channels.
//
//   mountStage(root, it) → { update(), resize(width, height, wing, isSmall), focus(layer, channel) }
//
// `it` is what explainer.js hands to all its parts.
import { add } from "../dom.js";
import { layerWords, paintGrey, roleOf, spread, write } from "./parts.js";

// pixels between two blocks, where an arrow stands, and between two levels: a size, an arrow, a number of channels
const [ROOMY, TIGHT] = [{ gap: 16, between: 44 }, { gap: 8, between: 34 }];
const BELOW = 140; // pixels: the chosen map, where it stands below the U
const MINI = 9; // pixels: maps that are smaller are no buttons; a block is then

// What is drawn of the layers: of a join only the copies, because the step up stands beside it.
function drawnBlocks(layers) {
  const depth = Math.max(...layers.map((layer) => layer.level));
  return layers
    .filter(({ name }) => name !== "input" && name !== "head")
    .map(({ name, channels, level }) => {
      const [part, number, convolution] = name.split(".");
      const isUp = part === "up" || part === "join" || part === "expanding";
      const second = convolution === "0" ? 1 : convolution ? 2 : 0;
      const column = isUp ? 4 * depth - 2 * level + second : 2 * level + second;
      const below = layers.find((layer) => layer.name === `up.${number}`);
      const count = part === "join" && channels === 2 * below.channels ? channels / 2 : channels;
      return { name, part, level, column, count };
    });
}

// How many maps stand below each other, and how large: so that they become as large as there is room for.
function arrangement(blocks, width, height, { gap, between }) {
  const levels = Math.max(...blocks.map((block) => block.level)) + 1;
  const columns = [...new Set(blocks.map((block) => block.column))].sort((a, b) => a - b);
  const tried = Array.from({ length: 24 }, (_, k) => k + 1).map((rows) => {
    const across = (block) => Math.ceil(block.count / rows);
    const down = (block) => Math.ceil(block.count / across(block));
    const widths = columns.map((column) => {
      const inside = blocks.filter((block) => block.column === column);
      const levelsOf = [...new Set(inside.map((block) => block.level))];
      return Math.max(...levelsOf.map((level) => added(inside.filter((block) => block.level === level).map(across))));
    });
    const heights = Array.from({ length: levels }, (_, level) => Math.max(...blocks.filter((block) => block.level === level).map(down)));
    const room = (width - gap * (columns.length + 1)) / added(widths);
    const empty = added(blocks.map((block) => across(block) * down(block) - block.count));
    return { rows, columns, widths, heights, empty, size: Math.floor(Math.min(room, (height - between * levels) / added(heights), 34)) };
  });
  const largest = Math.max(...tried.map(({ size }) => size));
  const large = tried.filter(({ size }) => size >= 0.8 * largest); // of those, the one with the fewest gaps
  return large.reduce((best, next) => (next.empty < best.empty || (next.empty === best.empty && next.size > best.size) ? next : best));
}

function added(numbers) {
  return numbers.reduce((total, value) => total + value, 0);
}

export function mountStage(root, it) {
  let net; // whose U is drawn
  let blocks = [];
  let size; // of a map, gaps included
  let chosen = {}; // { layer, channel }, the one stop of the Tab key
  let [width, height, wing] = [1000, 560, 0];
  let isShallow = false; // then the chosen map stands below the U, in which there is no room for it
  let isSmall = false; // then the U is there to choose a block
  let { gap, between } = ROOMY;
  const parts = {};

  // ---- where everything is -----------------------------------------------------------------------------------------------------

  function build() {
    net = it.net;
    blocks = drawnBlocks(net.layers);
    if (!blocks.some((block) => block.name === chosen.layer)) chosen = { layer: blocks[1].name, channel: 0 };
    ({ gap, between } = isSmall ? TIGHT : ROOMY);
    isShallow = blocks.every((block) => block.level < 2);
    const room = isSmall ? height / 2 : height - (isShallow ? BELOW : 0);
    const plan = arrangement(blocks, width - 2 * wing, room, { gap, between });
    size = Math.max(4, isSmall ? Math.min(plan.size, MINI - 1) : plan.size);
    root.replaceChildren();
    root.classList.toggle("is-mini", size < MINI);
    parts.board = add(root, "div", { class: "board" });
    parts.arrows = add(parts.board, "svg", { class: "arrows", "aria-hidden": "true" });
    placeBlocks(plan);
    for (const block of blocks) drawBlock(block);
    drawArrows();
    const around = size < MINI ? root : parts.board;
    parts.copies = add(around, "div", { class: "copies" });
    for (const level of copiedLevels()) drawCopy(level);
    parts.preview = add(around, "div", { class: "preview", role: "group", "aria-label": "the chosen map" });
    drawPreview();
    update();
  }

  function placeBlocks({ rows, columns, widths, heights }) {
    const total = added(widths) * size + gap * (columns.length + 1);
    let x = Math.max(wing, (width - total) / 2) + gap;
    const middles = new Map(columns.map((column, k) => {
      const middle = x + (widths[k] * size) / 2;
      x += widths[k] * size + gap;
      return [column, middle];
    }));
    const tops = [];
    heights.reduce((top, count, level) => ((tops[level] = top), top + count * size + between), 18);
    for (const block of blocks) {
      block.across = Math.ceil(block.count / rows);
      block.down = Math.ceil(block.count / block.across);
      const beside = blocks.filter((other) => other.column === block.column && other.level === block.level);
      const together = added(beside.map((other) => Math.ceil(other.count / rows))) * size;
      const copies = beside.filter((other) => other.part === "join"); // they stand before the step up
      const before = block.part === "up" ? added(copies.map((other) => Math.ceil(other.count / rows))) * size : 0;
      block.x = middles.get(block.column) - together / 2 + before;
      block.y = tops[block.level] + ((heights[block.level] - block.down) * size) / 2;
      [block.width, block.height] = [block.across * size, block.down * size];
    }
    parts.height = Math.max(...blocks.map((block) => block.y + block.height)) + 20;
    parts.board.style.height = `${parts.height}px`;
  }

  const blockOf = (name) => blocks.find((block) => block.name === name);

  // ---- blocks and their maps -----------------------------------------------------------------------------------------------------

  function drawBlock(block) {
    const role = block.part === "join" ? "skip" : roleOf(block.name);
    const words = block.part === "join" ? `level ${block.level}, the copies` : layerWords(net.layers, block.name);
    const place = `left: ${block.x}px; top: ${block.y}px; width: ${block.width}px; height: ${block.height}px`;
    const style = `${place}; --role: var(--${role}-line); --role-fill: var(--${role}-fill)`;
    block.words = words;
    block.box = add(parts.board, "div", { class: `block ${block.part}`, style, role: "group", "aria-label": words });
    add(block.box, "span", { class: "above", "aria-hidden": "true" }, block.count);
    block.side = add(block.box, "span", { class: "below", "aria-hidden": "true" });
    block.canvas = add(block.box, "canvas", { "aria-hidden": "true" });
    block.sheet = sheetOf(block, size);
    block.buttons = [];
    if (size < MINI) {
      const button = add(block.box, "button", { class: "whole", type: "button", "aria-label": `show ${words}` });
      button.addEventListener("click", () => choose(block.name, 0));
      block.buttons = [button];
      return;
    }
    for (let channel = 0; channel < block.count; channel++) block.buttons.push(mapButton(block, channel));
  }

  function mapButton(block, channel) {
    const [left, top] = [(channel % block.across) * size, Math.floor(channel / block.across) * size];
    const style = `left: ${left}px; top: ${top}px; width: ${size - 2}px; height: ${size - 2}px`;
    const button = add(block.box, "button", { class: "map", type: "button", tabindex: -1, style });
    button.addEventListener("click", () => (button.matches(".was-chosen") ? lookInside(button) : choose(block.name, channel)));
    button.addEventListener("focus", () => choose(block.name, channel, false));
    button.addEventListener("pointerdown", () => button.classList.toggle("was-chosen", isChosen(block.name, channel)));
    button.addEventListener("keydown", (event) => onKey(event, block, channel));
    return button;
  }

  const isChosen = (layer, channel) => chosen.layer === layer && chosen.channel === channel;

  function choose(layer, channel, takesFocus = true) {
    chosen = { layer, channel };
    if (takesFocus) buttonOf(chosen)?.focus({ preventScroll: true });
    paintChosen();
  }

  const buttonOf = ({ layer, channel }) => blockOf(layer)?.buttons[size < MINI ? 0 : channel];

  function onKey(event, block, channel) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (direction) {
      event.preventDefault();
      const next = nearest(block, channel, direction);
      if (next) choose(next.block.name, next.channel);
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(block.name, channel);
      lookInside(event.currentTarget);
    } else if (event.key === "m") mute();
  }

  // What is seen then grows out of what was chosen.
  function lookInside(from) {
    it.origin = from.getBoundingClientRect();
    it.go({ ...chosen });
  }

  // The next map in a direction, of whatever layer.
  function nearest(from, channel, [right, down]) {
    const middle = (block, k) => [block.x + ((k % block.across) + 0.5) * size, block.y + (Math.floor(k / block.across) + 0.5) * size];
    const [x, y] = middle(from, channel);
    let best = null;
    for (const block of blocks) {
      for (let k = 0; k < block.count; k++) {
        const [otherX, otherY] = middle(block, k);
        const along = (otherX - x) * right + (otherY - y) * down;
        const aside = Math.abs((otherX - x) * down) + Math.abs((otherY - y) * right);
        const far = along + 3 * aside;
        if (along > size / 2 && (!best || far < best.far)) best = { block, channel: k, far };
      }
    }
    return best;
  }

  // ---- arrows --------------------------------------------------------------------------------------------------------------------

  function drawArrows() {
    const svg = parts.arrows;
    for (const [name, of] of Object.entries({ convolution: "neutral", pool: "input", up: "output", copy: "skip" })) {
      const size = { viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, markerUnits: "userSpaceOnUse" };
      const marker = add(svg, "marker", { id: `${it.own}-${name}`, orient: "auto", ...size });
      add(marker, "path", { d: "M0 0.5L8 4L0 7.5z", style: `fill: var(--${of}-line)` });
    }
    const line = (kind, x1, y1, x2, y2) =>
      add(svg, "line", { x1, y1, x2, y2, class: `arrow ${kind}`, "marker-end": `url(#${it.own}-${kind})` });
    const word = (x, y, text, anchor) => size >= MINI && add(svg, "text", { x, y, "text-anchor": anchor }, text);
    const inRow = (name) => blockOf(name).y + blockOf(name).height / 2;
    for (const block of blocks) {
      const source = net.layers.find((layer) => layer.name === block.name).from.map(blockOf).findLast(Boolean);
      const [middle, row] = [block.x + block.width / 2, inRow(block.name)];
      if (block.part === "pool") {
        line("pool", middle, source.y + source.height + (size < MINI ? 4 : 16), middle, block.y - 15);
        word(middle - 8, block.y - 20, "max pooling", "end");
      } else if (block.part === "up") {
        const x = source.x + source.width / 2;
        line("up", x, source.y - 15, x, block.y + block.height + (size < MINI ? 4 : 16));
        word(x + 8, source.y - 20, "step up", "start");
      } else if (block.part !== "join") {
        const start = source ? source.x + source.width : wing ? wing - 4 : block.x - gap;
        line("convolution", start + 1, row, block.x - 3, row);
      }
      if (block.part !== "join") continue;
      const from = blockOf(`contracting.${block.level}.2`);
      const y = size < MINI ? row : from.y + 15;
      block.arrow = line("copy", from.x + from.width + 2, y, block.x - 3, y);
    }
    const last = blocks.at(-1);
    line("convolution", last.x + last.width + 1, inRow(last.name), wing ? width - wing + 4 : last.x + last.width + gap - 2, inRow(last.name));
    svg.setAttribute("viewBox", `0 0 ${width} ${parts.height}`);
  }

  // ---- the copies ----------------------------------------------------------------------------------------------------------------

  const copiedLevels = () => blocks.filter((block) => block.part === "join").map((block) => block.level).sort();

  function drawCopy(level) {
    const join = blocks.find((block) => block.part === "join" && block.level === level);
    const from = blockOf(`contracting.${level}.2`);
    const middle = (from.x + from.width + join.x) / 2;
    const label = add(parts.copies, "label", { class: "across", style: `left: ${middle}px; top: ${from.y}px` });
    const room = join.x - from.x - from.width;
    if (size < MINI || room > 150) add(label, "span", {}, size < MINI || room > 190 ? `copy, level ${level}` : "copy");
    const select = add(label, "select", { "aria-label": `copy of level ${level}` });
    add(select, "option", { value: "kept" }, "kept");
    add(select, "option", { value: "zeroed" }, "zeroed");
    const others = add(select, "optgroup", { label: "from another picture" });
    for (const picture of it.pictures) add(others, "option", { value: picture.name }, `of ${picture.label}`);
    select.addEventListener("change", () => {
      const copies = it.state.copies.slice();
      const isOther = !["kept", "zeroed"].includes(select.value);
      copies[level] = isOther ? "other" : select.value;
      const words = isOther ? `taken from the picture ${it.pictures.find(({ name }) => name === select.value).label}` : select.value;
      it.set({ copies, ...(isOther && { other: select.value }) }, `Copy of level ${level} ${words}`);
    });
    join.select = select;
  }

  function paintCopies() {
    for (const block of blocks.filter((block) => block.part === "join")) {
      const copy = it.state.copies[block.level] ?? "kept";
      block.select.value = copy === "other" ? it.state.other : copy;
      block.select.parentElement.dataset.copy = copy;
      block.arrow.setAttribute("class", `arrow copy is-${copy}`);
    }
  }

  // ---- the chosen map, larger ------------------------------------------------------------------------------------------------------

  function drawPreview() {
    const preview = parts.preview;
    if (size >= MINI && isShallow) {
      preview.style.cssText = `left: ${blocks[0].x}px; top: ${parts.height}px; height: ${BELOW - 16}px`;
      parts.board.style.marginBottom = `${BELOW}px`;
    } else if (size >= MINI) {
      const from = blockOf("contracting.0.2");
      const right = Math.min(...blocks.filter((block) => block.level === 0 && block.column > 4).map((block) => block.x));
      const left = from.x + from.width + 20;
      preview.style.cssText = `left: ${left}px; width: ${right - left - 20}px; top: ${from.y + 30}px; height: ${from.height - 30}px`;
    }
    parts.sheet = size < MINI ? add(preview, "div", { class: "sheet" }) : null;
    parts.large = add(preview, "canvas", { role: "img" });
    const words = add(preview, "div", { class: "about" });
    parts.title = add(words, "strong");
    parts.facts = add(words, "span");
    const bar = add(words, "div", { class: "bar" });
    parts.inside = add(bar, "button", { type: "button", class: "enter" }, "Look inside");
    parts.inside.addEventListener("click", () => lookInside(parts.large));
    parts.mute = add(bar, "button", { type: "button" }, "Mute");
    parts.mute.addEventListener("click", mute);
  }

  function mute() {
    const key = `${chosen.layer}:${chosen.channel}`;
    const isMuted = it.state.muted.includes(key);
    const muted = isMuted ? it.state.muted.filter((other) => other !== key) : [...it.state.muted, key];
    it.set({ muted }, `Map ${chosen.channel} of ${blockOf(chosen.layer).words} ${isMuted ? "heard again" : "muted"}`);
  }

  function paintChosen() {
    const block = blockOf(chosen.layer);
    for (const other of blocks) {
      other.box.classList.toggle("has-chosen", other === block);
      other.buttons.forEach((button, channel) => {
        const is = other === block && (size < MINI || channel === chosen.channel);
        if (button.classList.contains("chosen") !== is) button.classList.toggle("chosen", is);
        write(button, "tabindex", is || size < MINI ? 0 : -1);
      });
    }
    paintSources(block);
    if (!it.result) return;
    if (parts.sheet) paintPicker(block);
    const map = net.map(chosen.layer, chosen.channel);
    const [low, high] = spread(map.values);
    paintGrey(parts.large, map, Math.min(0, low), high);
    const name = `${block.words}, map ${chosen.channel}`;
    write(parts.large, "aria-label", name);
    write(parts.title, "text", `${size < MINI ? "" : `${block.words}: `}map ${chosen.channel} of ${block.count}`);
    write(parts.facts, "text", `${map.rows}×${map.columns} pixels, from ${low.toFixed(2)} to ${high.toFixed(2)}`);
    write(parts.mute, "text", it.state.muted.includes(`${chosen.layer}:${chosen.channel}`) ? "Hear again" : "Mute");
  }

  // On a phone the maps of the chosen block stand below the U, large enough for a finger.
  function paintPicker(block) {
    if (parts.sheet.dataset.layer !== block.name) {
      parts.sheet.dataset.layer = block.name;
      parts.sheet.replaceChildren();
      add(parts.sheet, "strong", {}, block.words);
      const grid = add(parts.sheet, "div", { class: "grid" });
      parts.picks = Array.from({ length: block.count }, (_, channel) => {
        const button = add(grid, "button", { type: "button", class: "pick", "aria-label": `map ${channel}` });
        const canvas = add(button, "canvas", { "aria-hidden": "true" });
        button.addEventListener("click", () => choose(block.name, channel, false));
        return { button, canvas };
      });
    }
    const { low, high } = block.range ?? {};
    parts.picks.forEach(({ button, canvas }, channel) => {
      const map = net.map(block.name, channel);
      const own = it.state.scale === "map" ? spread(map.values) : [low, high];
      paintGrey(canvas, map, Math.min(0, own[0]), own[1]);
      write(button, "aria-pressed", channel === chosen.channel);
      button.classList.toggle("is-muted", it.state.muted.includes(`${block.name}:${channel}`));
    });
  }

  // Which layers feed the chosen one.
  function paintSources(block) {
    const sources = net.layers.find((layer) => layer.name === block.name).from;
    for (const other of blocks) other.box.classList.toggle("feeds", sources.includes(other.name));
  }

  // ---- every pass ------------------------------------------------------------------------------------------------------------------

  function update() {
    if (root.hidden) return;
    if (it.net !== net || !root.childElementCount) return build();
    paintCopies();
    if (!it.result) return;
    for (const block of blocks) paintBlock(block);
    paintChosen();
  }

  function paintBlock(block) {
    const { rows, columns, silent, range } = block.sheet.paint(block.canvas, net, it.state.scale);
    block.range = range;
    write(block.side, "text", rows === columns ? rows : `${rows}×${columns}`);
    if (size < MINI) return;
    block.buttons.forEach((button, channel) => {
      const isMuted = it.state.muted.includes(`${block.name}:${channel}`);
      if (button.classList.contains("is-muted") !== isMuted) button.classList.toggle("is-muted", isMuted);
      write(button, "aria-label", `${block.words}, map ${channel}${isMuted ? ", muted" : silent[channel] ? ", silent" : ""}`);
    });
  }

  return {
    update,
    resize(...room) {
      [width, height, wing, isSmall] = room; // a wing is room on each side, for the picture and the answer
      root.replaceChildren(); // it is built anew when it is next seen
    },
    focus(layer, channel) {
      if (channel < blockOf(layer)?.count) choose(layer, channel);
      else buttonOf(chosen)?.focus({ preventScroll: true });
    },
    // what is free below the wings
    get corners() {
      const level = blocks.filter((block) => block.level === Math.min(1, net.depth));
      const [left, right] = [Math.min(...level.map((block) => block.x)), width - Math.max(...level.map((block) => block.x + block.width))];
      return { left: left - gap, right: right - gap, top: Math.min(...level.map((block) => block.y)) };
    },
  };
}

// ---- a block's maps on one canvas ----------------------------------------------------------------------------------------------------

const SILENT = 0.01; // of the layer's largest number

// All maps of a block on one canvas, each made about as small as it is seen.
function sheetOf({ name, count, across, down }, size) {
  const seen = Math.max(12, (size - 2) * Math.min(2, devicePixelRatio || 1));
  let image = null;

  function paint(canvas, net, scale) {
    const { rows, columns } = net.layers.find((layer) => layer.name === name);
    const step = Math.max(1, Math.floor(Math.max(rows, columns) / seen));
    const maps = Array.from({ length: count }, (_, channel) => net.small(name, channel, step));
    const ranges = maps.map(({ values }) => spread(values));
    const range = { low: Math.min(0, ...ranges.map(([low]) => low)), high: Math.max(...ranges.map(([, high]) => high)) };
    const silent = ranges.map(([low, high]) => Math.max(high, -low) <= SILENT * Math.max(range.high, -range.low));
    const gap = Math.max(1, Math.round((2 * maps[0].columns) / (size - 2)));
    const [width, height] = [across * (maps[0].columns + gap), down * (maps[0].rows + gap)];
    const context = canvas.getContext("2d");
    if (canvas.width !== width || canvas.height !== height || !image) {
      [canvas.width, canvas.height, image] = [width, height, context.createImageData(width, height)];
    }
    const pixels = new Uint32Array(image.data.buffer);
    maps.forEach((map, channel) => {
      const [low, high] = scale === "map" ? [Math.min(0, ranges[channel][0]), ranges[channel][1]] : [range.low, range.high];
      const factor = high > low ? 255 / (high - low) : 0;
      const opacity = silent[channel] ? 0x50000000 : 0xff000000;
      let at = Math.floor(channel / across) * (map.rows + gap) * width + (channel % across) * (map.columns + gap);
      for (let row = 0, k = 0; row < map.rows; row++, at += width) {
        for (let column = 0; column < map.columns; column++, k++) {
          pixels[at + column] = opacity | ((((map.values[k] - low) * factor) | 0) * 0x010101);
        }
      }
    });
    context.putImageData(image, 0, 0);
    return { rows, columns, silent, range };
  }

  return { paint };
}
