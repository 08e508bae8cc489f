// The live painter of a scene (see figures/scene.py for what a scene is). It computes nothing about convolution: it shows the cells
// and texts it is given, and follows the links between them.
//
//   mountScene(root, scene, onEdit, options) → { update(scene), destroy() }
//
// As an anywidget (widget.js) it gets its scene from Python, and sends back what the reader types. An explorer that computes in the page
// makes the scene there. On a web page with a scene alone, pointing, stepping and predicting work, only typing does not.

import { add, button } from "./dom.js";

const STEP_MS = 900; // play: slow enough to read a sum
const FLY_MS = 600; // of which the window slides and the products fly
const [WIDTH, HEIGHT] = [860, 640]; // a notebook's column, and what a screen shows of it: larger scenes get smaller cells
const [LEAST, MOST] = [26, 46]; // the side of a cell: narrow pages scroll rather than make numbers too small to read
const LEAST_LETTER = 9; // pixels
const [ROOM, LABEL] = [0.55, 0.85]; // in cells: beside and above a grid

// Options: `height`, of the largest scene in pixels, which the stage keeps; `least`, another smallest cell; `wraps`, whether grids that
// have no room beside each other stand one under the other.
export function mountScene(root, given, onEdit, { height, least = LEAST, wraps = false } = {}) {
  let scene = given; // as it is laid out
  let width = root.clientWidth || WIDTH + 20;
  const own = Math.random().toString(36).slice(2); // a page may hold many scenes, each with its own hatches and arrow heads
  let selected = null; // the cell that stays chosen: by stepping, clicking or focus
  let pointed = null; // the cell under the mouse, for as long as it is there
  let timer = null; // while playing
  let isPredicting = false;
  let revealed = new Set(); // predicted results that are no longer hidden
  let complaint = ""; // about what was typed last; it stands in place of the note
  let leaveEditor = () => {}; // closes the open editor, if there is one, and forgets what was typed
  let groups = new Map(); // the twins of each cell that has some
  let px = MOST; // the side of a cell
  let drawn = []; // per cell: { group, rect, text, corner, label }
  let arrows = []; // per arrow: its line
  let tallest = height ?? 0; // the stage keeps the height of the largest scene so far, and the bar stays once it is there
  let hasBar = height !== undefined;
  let points = []; // per point: its dot
  let parts = {}; // the note, the sliders and buttons that `paint` keeps in step

  const walk = () => scene.grids[scene.walk];
  const gridOf = (cell) => scene.grids.find((grid) => cell >= grid.first && cell < grid.first + grid.text.length);
  const textOf = (cell) => gridOf(cell).text[cell - gridOf(cell).first];
  const placeOf = (cell) => {
    const { name, columns, first } = gridOf(cell);
    return { name, row: Math.floor((cell - first) / columns), column: (cell - first) % columns };
  };
  const cellAt = ({ name, row, column }) => {
    const grid = scene.grids.find((grid) => grid.name === name);
    const isInside = grid && row >= 0 && column >= 0 && row < grid.rows && column < grid.columns;
    return isInside ? grid.first + row * grid.columns + column : null;
  };
  const isWalked = (cell) => gridOf(cell) === walk();
  const same = (cell) => groups.get(cell) ?? [cell];
  const isResult = (cell) => same(cell).some(isWalked); // what a twin shows would give the answer away
  const isHidden = (cell) => isPredicting && isResult(cell) && !same(cell).some((twin) => revealed.has(twin));

  function linked(cell) {
    const chosen = new Set(same(cell));
    const found = new Map();
    for (const [output, input, weight, factor] of scene.links) {
      if (!chosen.has(output) && !chosen.has(input) && !chosen.has(weight)) continue;
      if (weight !== null) for (const twin of same(weight)) found.set(twin, "");
      const corner = factor || (weight === null ? "" : `×${textOf(weight)}`);
      for (const end of [output, input]) for (const twin of same(end)) found.set(twin, corner);
    }
    for (const cell of chosen) found.delete(cell);
    return found;
  }

  function noteOf(cell) {
    const grid = gridOf(cell);
    const note = grid.notes[cell - grid.first];
    return isResult(cell) ? `${note} = ${isHidden(cell) ? "?" : textOf(cell)}` : note;
  }

  // ---- drawing -------------------------------------------------------------------------------------------------------------

  function build() {
    const across = Math.min(WIDTH, width - 20); // without the stage's rim
    scene = wraps ? wrapped(given, across / least) : given;
    px = Math.max(least, Math.min(MOST, across / scene.size[0], (height ?? HEIGHT) / scene.size[1]));
    const key = root.getRootNode().activeElement?.dataset?.key; // keep the focus where it was
    groups = new Map(scene.twins.flatMap((group) => group.map((cell) => [cell, group])));
    selected ??= walk().text.length ? walk().first + (scene.begin ?? 0) : null;
    root.replaceChildren();
    root.classList.add("unet-scene");
    for (const [role, { line, fill }] of Object.entries(scene.colours)) {
      root.style.setProperty(`--${role}-line`, `color-mix(in oklab, ${line}, #fff var(--lift))`);
      root.style.setProperty(`--${role}-fill`, `color-mix(in oklab, ${fill}, #000 var(--sink))`);
    }
    parts = {}; // what changes with each cell stands above the stage, where no scene can push it away
    hasBar ||= walk().text.length > 1;
    if (hasBar) drawBar(add(root, "div", { class: "bar" }));
    if (scene.canPredict) drawPrediction(add(root, "div", { class: "bar" }));
    parts.note = add(root, "p", { class: "note", role: "status" });
    parts.caption = add(root, "p", { class: "caption", style: height ? "" : "min-height: 2.6em" }, scene.caption);
    if (scene.code) parts.code = add(add(root, "pre", { class: "code" }), "code", {}, scene.code);
    tallest = Math.max(tallest, height ? 0 : scene.size[1] * px);
    parts.svg = drawStage(add(root, "div", { class: "stage", style: `min-height: ${tallest + 20}px` }));
    paint();
    if (key) root.querySelector(`[data-key="${key}"]`)?.focus({ preventScroll: true });
  }

  // All of a scene that `refresh` leaves as it is.
  function outline({ grids, size, signs, walk, canPredict, twins, arrows, points, code }) {
    const frames = grids.map(({ text, notes, fill, ...frame }) => frame);
    return JSON.stringify([frames, size, signs, walk, canPredict, twins, arrows, points, code !== ""]);
  }

  // Other numbers in the same grids, as when one was typed: nothing is built anew.
  function refresh() {
    parts.caption.textContent = scene.caption;
    if (parts.code) parts.code.textContent = scene.code;
    if (parts.answer) parts.answer.textContent = "";
    paint();
  }

  function drawStage(stage) {
    const [columns, rows] = scene.size;
    const svg = add(stage, "svg", {
      viewBox: `-4 -4 ${columns * px + 8} ${rows * px + 8}`,
      style: `width: ${columns * px + 8}px; min-width: ${columns * least + 8}px`,
      role: "group",
    });
    svg.addEventListener("pointerover", (event) => point(cellOf(event)));
    svg.addEventListener("pointerleave", () => point(null));
    svg.addEventListener("click", (event) => cellOf(event) !== null && drawn[cellOf(event)].group.focus());
    svg.addEventListener("focusin", (event) => select(cellOf(event)));
    svg.addEventListener("dblclick", (event) => cellOf(event) !== null && edit(cellOf(event)));
    svg.addEventListener("keydown", (event) => onCellKey(event, cellOf(event)));
    drawDefinitions(add(svg, "defs"));
    for (const [x, y, sign] of scene.signs) add(svg, "text", { x: x * px, y: y * px, class: "sign", "aria-hidden": true }, sign);
    drawn = [];
    for (const grid of scene.grids) drawGrid(svg, grid);
    const head = `url(#head-${own})`;
    arrows = scene.arrows.map((ends) => add(svg, "polyline", { points: routeOf(...ends).join(" "), class: "arrow", "marker-end": head }));
    points = scene.points.map(([, x, y]) => add(svg, "circle", { cx: x * px, cy: y * px, r: 5, class: "point" }));
    return svg;
  }

  function drawDefinitions(defs) {
    for (const [mark, angles] of [["unused", [45]], ["clash", [45, -45]]]) {
      const hatch = add(defs, "pattern", { id: `${mark}-${own}`, width: 8, height: 8, patternUnits: "userSpaceOnUse" });
      for (const angle of angles) add(hatch, "path", { d: "M-2 4h12M-2 -4h12M-2 12h12", transform: `rotate(${angle} 4 4)`, class: "hatch" });
    }
    const head = add(defs, "marker", { id: `head-${own}`, viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 9, markerHeight: 9, markerUnits: "userSpaceOnUse", orient: "auto" });
    add(head, "path", { d: "M0 0L8 4L0 8z", class: "head" });
  }

  function cellOf(event) {
    const group = event.target.closest("[data-cell]");
    return group && Number(group.dataset.cell);
  }

  function middleOf(cell) {
    const { row, column } = placeOf(cell);
    const [left, top] = gridOf(cell).at;
    return [(left + column + 0.5) * px, (top + row + 0.5) * px];
  }

  // The corners of an arrow: along the lines between cells and through the gap between the grids, where no number stands.
  function routeOf(from, to) {
    const [[x1, y1], [x2, y2]] = [middleOf(from), middleOf(to)];
    const isToTheRight = x2 > x1;
    const lane = (gridOf(isToTheRight ? to : from).at[0] - (isToTheRight ? 0.2 : 0.4)) * px;
    const [leave, enter] = [y1 + (isToTheRight ? -0.5 : 0.5) * px, y2 - 0.5 * px];
    return [[x1, leave], [lane, leave], [lane, enter], [x2, enter], [x2, y2 - 0.28 * px]];
  }

  function drawGrid(svg, grid) {
    const [left, top] = grid.at;
    add(svg, "text", { x: left * px, y: (top - 0.25) * px, class: "label", style: `fill: var(--${grid.role}-line); font-size: ${Math.min(14, 0.45 * px)}px`, "aria-hidden": true }, grid.label);
    if (grid.text.length === 0) return;
    const box = add(svg, "g", { role: "grid", "aria-label": grid.label, style: `--line: var(--${grid.role}-line); --fill: var(--${grid.role}-fill)` });
    for (let row = 0; row < grid.rows; row++) {
      const line = add(box, "g", { role: "row" });
      for (let column = 0; column < grid.columns; column++) {
        const k = row * grid.columns + column;
        const cell = grid.first + k;
        const group = add(line, "g", {
          role: "gridcell",
          class: `cell ${grid.marks[k]} ${isEditable(cell) && onEdit ? "editable" : ""}`,
          transform: `translate(${(left + column) * px} ${(top + row) * px})`,
          tabindex: k === 0 ? 0 : -1,
          "data-key": `${grid.name}-${row}-${column}`,
          "data-cell": cell,
          "data-lm-suppress-shortcuts": true, // else JupyterLab takes arrows and letters for its own commands
        });
        const rect = add(group, "rect", { width: px, height: px });
        const isHatched = ["unused", "clash"].includes(grid.marks[k]);
        if (isHatched) add(group, "rect", { width: px, height: px, class: "hatching", style: `fill: url(#${grid.marks[k]}-${own})` });
        const text = add(group, "text", { x: px / 2, y: px / 2, class: "value" });
        const corner = add(group, "text", { x: px - 3, y: px - 3, class: "corner" });
        drawn[cell] = { group, rect, text, corner, label: "" };
      }
    }
  }

  // Nodes are touched only where something is new: that is what takes time in a scene of some hundred cells.
  function write(node, text, size) {
    if ((node.written ?? "") !== text) node.textContent = node.written = text;
    if (text && node.size !== size) node.style.fontSize = `${(node.size = size)}px`;
  }

  function tint(part, fill = "") {
    if ((part.fill ?? "") === fill) return;
    part.rect.style.fill = part.fill = fill;
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(fill.slice(at, at + 2), 16));
    part.text.style.fill = part.corner.style.fill = fill && (0.3 * red + 0.6 * green + 0.1 * blue > 128 ? "#1a1a1a" : "#ffffff");
  }

  // Bring every cell, the note and the controls in step with what is selected or pointed at.
  function paint() {
    const shown = pointed ?? selected;
    const lit = shown === null ? new Map() : linked(shown);
    const chosen = new Set(shown === null ? [] : same(shown));
    for (const grid of scene.grids) {
      const longest = Math.max(...grid.text.map((text) => text.length));
      grid.text.forEach((number, k) => {
        const [cell, part] = [grid.first + k, drawn[grid.first + k]];
        const [text, corner] = [isHidden(cell) ? "?" : number, lit.get(cell) ?? ""];
        part.group.classList.toggle("selected", chosen.has(cell));
        part.group.classList.toggle("linked", lit.has(cell));
        part.group.setAttribute("aria-selected", cell === shown);
        // so that the longest number fits into its cell, and can be read
        write(part.text, text, Math.max(px * Math.min(0.38, 1.25 / longest), Math.min(10, (1.45 * px) / longest)));
        // a factor that would be too small to read stands in the note alone
        write(part.corner, (1.5 * px) / corner.length < LEAST_LETTER ? "" : corner, Math.max(LEAST_LETTER, Math.min(0.22 * px, (1.2 * px) / corner.length)));
        tint(part, isHidden(cell) ? "" : grid.fill?.[k]);
        const ring = grid.ring ?? 0; // of padding; the image is counted from 0, as in the notes
        const [row, column] = [Math.floor(k / grid.columns) - ring, (k % grid.columns) - ring];
        const label = `${grid.name}, row ${row}, column ${column}: ${text || "empty"}`;
        if (part.label !== label) part.group.setAttribute("aria-label", (part.label = label));
      });
    }
    scene.arrows.forEach((ends, n) => arrows[n].classList.toggle("lit", ends.some((cell) => chosen.has(cell))));
    scene.points.forEach(([cell], n) => points[n].classList.toggle("lit", chosen.has(cell)));
    parts.note.textContent = complaint || (shown === null ? "" : noteOf(shown));
    if (selected !== null) {
      const { row, column } = placeOf(selected);
      if (isWalked(selected) && parts.row) parts.row.value = row;
      if (isWalked(selected) && parts.column) parts.column.value = column;
      // Tab comes back to the cell that was left
      drawn[selected].group.closest("[role=grid]").querySelector("[tabindex='0']").setAttribute("tabindex", -1);
      drawn[selected].group.setAttribute("tabindex", 0);
    }
    parts.svg.setAttribute("aria-label", isPredicting ? scene.grids.map((grid) => grid.label).join("; ") : scene.alt);
    if (parts.play) write(parts.play, timer ? "Pause" : "Play");
    if (parts.asks) parts.asks.hidden = !(isPredicting && selected !== null && isHidden(selected));
  }

  // ---- moving --------------------------------------------------------------------------------------------------------------

  function point(cell) {
    if (cell !== null && cell !== selected) complaint = ""; // the reader has moved on
    pointed = cell;
    paint();
  }

  function select(cell) {
    if (cell !== selected) {
      complaint = "";
      if (parts.answer) parts.answer.textContent = "";
    }
    selected = cell;
    pointed = null; // the mouse may rest on a cell while the keyboard moves on
    paint();
  }

  function step() {
    const next = isWalked(selected) ? selected + 1 : walk().first;
    if (next >= walk().first + walk().text.length) return false;
    select(next);
    return true;
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    paint();
  }

  function play() {
    if (timer) return stop();
    if (!move()) select(walk().first); // at the end: from the start again
    timer = setInterval(() => move() || stop(), STEP_MS);
    paint();
  }

  // A step that is seen: the window slides to its next place, and the products fly to their sum.
  function move() {
    const before = isWalked(selected) ? windowOf(selected) : null;
    if (!step()) return false;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return true;
    const [after, [x, y]] = [windowOf(selected), middleOf(selected)];
    if (before && after) {
      const frame = add(parts.svg, "rect", { class: "window", x: after[0], y: after[1], width: after[2], height: after[3] });
      vanish(frame, `translate(${before[0] - after[0]}px, ${before[1] - after[1]}px)`, "none");
    }
    for (const [output, input, weight] of scene.links) {
      if (output !== selected || weight === null) continue;
      const [left, top] = middleOf(input);
      const product = add(parts.svg, "text", { class: "product", x: left, y: top, "aria-hidden": true }, `${textOf(input)}·${textOf(weight)}`);
      vanish(product, "none", `translate(${x - left}px, ${y - top}px)`);
    }
    return true;
  }

  function vanish(node, from, to) {
    node.animate([{ transform: from, opacity: 1 }, { transform: to, opacity: 1, offset: 0.9 }, { opacity: 0 }], { duration: FLY_MS, easing: "ease-in-out" }).onfinish = () => node.remove();
  }

  // Around all that an output reads, in pixels: left, top, width, height.
  function windowOf(cell) {
    const read = scene.links.filter(([output]) => output === cell).map(([, input]) => middleOf(input));
    if (!read.length) return null;
    const [xs, ys] = [read.map(([x]) => x), read.map(([, y]) => y)];
    const [left, top] = [Math.min(...xs) - px / 2, Math.min(...ys) - px / 2];
    return [left, top, Math.max(...xs) + px / 2 - left, Math.max(...ys) + px / 2 - top];
  }

  function onCellKey(event, cell) {
    if (event.key === "Tab" || event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation();
    const [down, right] = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key] ?? [0, 0];
    if (down || right) {
      event.preventDefault();
      const { name, row, column } = placeOf(cell);
      const next = cellAt({ name, row: row + down, column: column + right });
      if (next !== null) drawn[next].group.focus();
    } else if (event.key === " ") {
      event.preventDefault(); // or the notebook scrolls away
    } else if (event.key === "Enter" || /^[-0-9.]$/.test(event.key)) {
      event.preventDefault();
      edit(cell, event.key === "Enter" ? undefined : event.key);
    }
  }

  // ---- the bar below -------------------------------------------------------------------------------------------------------

  function drawBar(bar) {
    const buttons = [
      button(bar, "step", "Step", () => (stop(), step() || select(walk().first))),
      (parts.play = button(bar, "play", "Play", play)),
      button(bar, "reset", "Reset", () => (stop(), select(walk().first))),
    ];
    for (const one of buttons) one.disabled = walk().text.length < 2; // there is nowhere to go
    if (walk().rows > 1) parts.row = slider(bar, "row", walk().rows);
    if (walk().columns > 1) parts.column = slider(bar, "column", walk().columns);
  }

  function slider(bar, name, count) {
    const label = add(bar, "label", {}, `${walk().name} ${name} `);
    const input = add(label, "input", { type: "range", min: 0, max: count - 1, step: 1, value: 0, "data-key": name, "data-lm-suppress-shortcuts": true });
    input.addEventListener("keydown", (event) => event.key !== "Tab" && event.stopPropagation());
    input.addEventListener("input", () => {
      const row = parts.row ? Number(parts.row.value) : 0;
      const column = parts.column ? Number(parts.column.value) : 0;
      select(walk().first + row * walk().columns + column);
    });
    return input;
  }

  function drawPrediction(bar) {
    const label = add(bar, "label");
    const box = add(label, "input", { type: "checkbox", "data-key": "predict" });
    box.checked = isPredicting;
    label.append(" predict before you see");
    box.addEventListener("change", () => {
      isPredicting = box.checked;
      revealed = new Set();
      parts.answer.textContent = "";
      if (!isWalked(selected)) selected = walk().first;
      paint();
    });
    parts.asks = add(bar, "span", { class: "asks" });
    const guess = add(parts.asks, "input", { type: "number", step: "any", "aria-label": "your prediction", "data-key": "guess", "data-lm-suppress-shortcuts": true });
    guess.addEventListener("keydown", (event) => {
      if (event.key !== "Tab") event.stopPropagation();
      if (event.key === "Enter") check();
    });
    button(parts.asks, "check", "Check", check);
    button(parts.asks, "show", "Show it", () => reveal(`It is ${textOf(selected)}.`));
    parts.answer = add(bar, "span", { class: "answer", role: "status" });

    function check() {
      if (guess.value === "") return void (parts.answer.textContent = "Type a number first.");
      const right = Number(textOf(selected).replaceAll("−", "-"));
      const isRight = Math.abs(Number(guess.value) - right) <= 0.005 * Math.abs(right); // cells show three digits
      if (isRight) reveal(`Yes, ${textOf(selected)}.`);
      else parts.answer.textContent = "Not yet. Work through the line above.";
    }

    function reveal(words) {
      revealed.add(selected);
      guess.value = "";
      paint();
      parts.answer.textContent = words;
      root.querySelector("[data-key=step]")?.focus(); // the field that had the focus is gone
    }
  }

  // ---- typing into a cell --------------------------------------------------------------------------------------------------

  const isEditable = (cell) => gridOf(cell).editable && !(gridOf(cell).ring && gridOf(cell).marks[cell - gridOf(cell).first] === "padding");

  function edit(cell, typed) {
    if (!isEditable(cell)) return;
    if (!onEdit) {
      complaint = "Here all numbers stay as they are. To change one, open the lesson: there Python computes the rest.";
      return paint();
    }
    const { group, rect } = drawn[cell];
    const stage = root.querySelector(".stage");
    const [place, frame] = [rect.getBoundingClientRect(), stage.getBoundingClientRect()];
    const input = add(stage, "input", {
      type: "text", // a number field would refuse a minus sign that stands alone for a moment
      inputmode: "decimal",
      class: "editor",
      "aria-label": `new value for ${group.getAttribute("aria-label")}`,
      "data-lm-suppress-shortcuts": true,
      style: `left: ${place.left - frame.left + stage.scrollLeft}px; top: ${place.top - frame.top}px; width: ${place.width}px; height: ${place.height}px`,
    });
    const before = textOf(cell).replaceAll("−", "-");
    input.value = typed ?? before;
    let isOpen = true;
    function close(keep) {
      if (!isOpen) return; // removing a focused input blurs it, which would close it twice
      isOpen = false;
      leaveEditor = () => {};
      const plain = input.value.replaceAll(",", ".").replaceAll("−", "-");
      const [above, below = 1, ...more] = plain.split("/"); // 1/9 is a weight that people type
      const value = more.length ? NaN : Number(above) / Number(below);
      const hasChanged = above.trim() !== "" && Number.isFinite(value) && input.value !== before;
      input.remove();
      complaint = keep && !hasChanged && input.value !== before ? `“${input.value}” is not a number: nothing was changed.` : "";
      group.focus({ preventScroll: true });
      paint();
      if (keep && hasChanged) onEdit(cell, value);
    }
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Tab") event.stopPropagation();
      if (event.key === "Enter") close(true);
      if (event.key === "Escape") close(false);
    });
    input.addEventListener("blur", () => close(true));
    leaveEditor = () => close(false);
    input.focus();
    if (!typed) input.select();
  }

  build();
  const watch = new ResizeObserver(() => {
    if (Math.abs(root.clientWidth - width) < 8 || !root.clientWidth) return; // off the page, or the width of a scroll bar
    width = root.clientWidth;
    tallest = height ?? 0;
    leaveEditor();
    build();
  });
  watch.observe(root);
  return {
    update(next) {
      leaveEditor(); // its cell may be gone in the next scene
      stop();
      const place = selected === null ? null : placeOf(selected);
      const hasOnlyOtherNumbers = outline(next) === outline(given);
      given = next;
      scene = hasOnlyOtherNumbers ? withTexts(scene, next) : next;
      revealed = new Set();
      complaint = "";
      pointed = null;
      if (hasOnlyOtherNumbers) return refresh();
      selected = place && cellAt(place); // the same place, where the new scene still has it
      build();
    },
    destroy() {
      watch.disconnect();
      stop();
    },
  };
}

// The scene with its grids one under the other where they have no room beside each other, each behind its sign.
function wrapped(scene, columns) {
  if (scene.size[0] <= columns) return scene;
  const [signs, grids] = [[], []];
  let [x, top, deep, wide] = [0, 0, 0, 0];
  for (const grid of scene.grids) {
    const sign = scene.signs[grids.length - 1]; // one stands before each but the first
    const before = sign ? 2 * ROOM + 0.05 : 0;
    if (x > 0 && x + before + grid.columns > columns) [x, top, deep] = [0, top + deep, 0];
    if (sign) signs.push([x + ROOM / 2, top + LABEL + grid.rows / 2, sign[2]]);
    grids.push({ ...grid, at: [x + before, top + LABEL] });
    x += before + grid.columns + ROOM;
    deep = Math.max(deep, LABEL + grid.rows + ROOM);
    wide = Math.max(wide, x - ROOM);
  }
  return { ...scene, grids, signs, size: [wide, top + deep - ROOM] };
}

// Other numbers where the grids already lie.
function withTexts(scene, next) {
  return { ...next, size: scene.size, signs: scene.signs, grids: next.grids.map((grid, n) => ({ ...grid, at: scene.grids[n].at })) };
}
