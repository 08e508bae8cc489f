// The U-Net Explainer: the trained network itself in a page. One picture goes in, all maps are seen, and one can go down from the
// whole U to a single product.
//
//   mount(root, data); unet_edu/explore/unet/__init__.py says what `data` is
//
// Everything that a reader sets is one state, which is never changed in place. A new state asks for a pass through the network at the
// next frame, and then all parts show it: the picture (input.js), the U (stage.js), the levels below it (levels.js), the answer
// (output.js) and the questions (cards.js).
import { add } from "../dom.js";
import { addressOf, stateFrom } from "./address.js";
import { mountCards } from "./cards.js";
import { mountInput } from "./input.js";
import { mountLevels } from "./levels.js";
import { load } from "./network.js";
import { mountOutput } from "./output.js";
import { groundOf, write } from "./parts.js";
import { changed, connectedCells } from "./picture.js";
import { mountStage } from "./stage.js";

const [WIDE, NARROW] = [1100, 700]; // pixels: the picture and the answer stand beside the U, or above it
const [LEAST, MOST, REST] = [572, 900, 74]; // pixels: the height of the U; on a page of its own all but a title and the questions
const QUIET_MS = 400; // after a change, until it is said and written into the address

export function mount(root, data) {
  const pictures = data.pictures.map((picture) => ({ ...picture, grey: Uint8Array.from(atob(picture.grey), (c) => c.charCodeAt(0)) }));
  const networks = new Map(); // those that were asked for, by name
  const first = {
    picture: pictures[0].name, edits: [], copies: [], other: pictures.at(-1).name, muted: [],
    network: data.networks[0].name, scale: "map", place: {}, card: null,
  };
  first.copies = data.networks[0].description.widths.slice(1).map(() => "kept");
  let state = { ...first, ...(data.copies && { copies: data.copies }), ...(data.isPage && stateFrom(location.hash, first, data)) };
  let result = null; // of the last pass
  let image = null;
  let past = []; // { state, result } before each change
  let isWaiting = false; // for the next frame
  let quiet = 0; // a timer
  let said = ""; // what was done last
  const parts = {};

  // ---- what all parts are given --------------------------------------------------------------------------------------------------

  const counted = ({ count }) => `${count} ${data.labels[1] === "cell" ? "cell" : "area"}${count === 1 ? "" : "s"}`;

  const it = {
    own: `unet-${Math.random().toString(36).slice(2)}`, // for names that must be one's own on a page
    pictures, networks: data.networks.map(({ name }) => name), classes: data.classes, labels: data.labels, origin: null,
    get net() { return networks.get(state.network); },
    get state() { return state; },
    get place() { return state.place; },
    get picture() { return pictureOf(state.picture); },
    get image() { return image; },
    get result() { return result; },
    get before() { return past.at(-1)?.result; },
    get canUndo() { return past.length > 0; },
    get isAsItWas() { return ["edits", "copies", "muted", "network"].every((name) => String(state[name]) === String(first[name])); },
    set, go, undo, reset, say, takeOwn, counted,
  };

  const pictureOf = (name) => pictures.find((picture) => picture.name === name) ?? pictures[0];

  // `words` say what was done; `goesOn` is true while one change is still being made, as when a cell is dragged.
  function set(changes, words, goesOn = false) {
    const isSeen = ["picture", "edits", "copies", "other", "muted", "network"].some((name) => name in changes);
    if (isSeen && !goesOn) past = [...past.slice(-100), { state, result }];
    const isOtherNetwork = changes.network && changes.network !== state.network;
    state = { ...state, ...changes };
    if (isOtherNetwork && !changes.muted) state = { ...state, muted: [], place: changes.place ?? state.place };
    said = words || said;
    ask();
  }

  function go(place) {
    const from = state.place;
    state = { ...state, place };
    show();
    if (place.layer && !from.layer && width < WIDE) parts.main.querySelector(".levels").scrollIntoView({ block: "start" });
    if (from.layer && !place.layer) (from.layer === "head" ? parts.output : parts.stage).focus(from.layer, from.channel);
    settle();
  }

  function undo() {
    const before = past.at(-1);
    past = past.slice(0, -1);
    state = { ...before.state, place: state.place, card: state.card };
    said = "Undone";
    ask();
  }

  function reset() {
    set({ edits: [], copies: first.copies, muted: [], network: first.network }, "All as it was");
  }

  function takeOwn(picture, goesOn) {
    const place = pictures.findIndex(({ name }) => name === "own");
    if (place < 0) pictures.push(picture);
    else pictures[place] = picture;
    set({ picture: "own", edits: goesOn ? state.edits : [] }, picture.label, goesOn);
    if (!goesOn) past = past.filter((before) => before.state.picture !== "own"); // an older one is no longer here
  }

  // ---- one pass ------------------------------------------------------------------------------------------------------------------

  // However often something changes, one pass waits at most.
  function ask() {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(pass);
  }

  function pass() {
    compute().catch(fail);
  }

  function fail(error) {
    isWaiting = false;
    parts.failed.textContent = `Something went wrong in this page: ${error.message}. Undo the last change, or load the page again.`;
    show(); // the last answer, with a button that undoes the change
    throw error; // for the browser's console
  }

  async function compute() {
    const { network } = state;
    if (!it.net) networks.set(network, await load(data.networks.find(({ name }) => name === network).description));
    isWaiting = false;
    if (!root.isConnected) return; // a notebook has scrolled it away
    if (!it.net) return ask(); // another one was chosen meanwhile
    if (!result) compare();
    result = answerTo(state);
    image = result.image;
    parts.failed.textContent = "";
    show();
    settle();
  }

  // What somebody else has set, in an address or in a notebook, is a change too.
  function compare() {
    const begun = { ...state, edits: [], copies: first.copies, muted: [] };
    const isOther = ["edits", "copies", "muted"].some((name) => String(state[name]) !== String(begun[name]));
    if (isOther) past = [{ state: begun, result: answerTo(begun) }];
  }

  function answerTo({ picture, edits, copies, other, muted }) {
    const others = copies.includes("other") ? copiesOf(other, edits.filter(([kind]) => kind === "turn")) : [];
    const given = seen(picture, edits);
    const { rows, columns } = given;
    const found = it.net.run(given.values, {
      rows, columns,
      copies: copies.map((copy, level) => (copy === "other" ? others[level] : copy)),
      muted: new Set(muted),
    });
    return { ...found, image: given, cells: connectedCells(found) };
  }

  function seen(name, edits) {
    const picture = pictureOf(name);
    const values = Float32Array.from(picture.grey, (grey) => grey / 255);
    const mean = values.reduce((total, value) => total + value, 0) / values.length;
    return changed({ ...picture, values }, edits, picture.look ?? (mean < 0.25 ? "fluorescence" : "phase"));
  }

  let kept = {}; // the copies of another picture, as long as they are asked for

  // It is turned as this one is, or it would not be of the same size.
  function copiesOf(name, turns) {
    const key = [state.network, name, turns.length].join();
    if (kept.key !== key || name === "own") {
      const { rows, columns, values } = seen(name, turns);
      it.net.run(values, { rows, columns });
      kept = { key, copies: it.net.copies() };
    }
    return kept.copies;
  }

  function show() {
    if (!result || isWaiting) return; // the next pass shows it, maybe with another network
    const isBelow = state.place.layer !== undefined;
    parts.u.hidden = isBelow;
    for (const part of ["input", "output", "stage", "levels", "cards"]) parts[part].update();
    updateBar();
    fitCorners();
  }

  // Said and written down when nothing has changed for a moment.
  function settle() {
    clearTimeout(quiet);
    quiet = setTimeout(() => {
      if (said) say(`${said}. ${counted(result.cells)}, before ${(it.before ?? result).cells.count}.`);
      said = "";
      if (data.isPage) history.replaceState(null, "", addressOf(state, first) || location.pathname + location.search);
    }, QUIET_MS);
  }

  function say(words) {
    parts.said.textContent = words;
  }

  // ---- the page ------------------------------------------------------------------------------------------------------------------

  function build() {
    root.classList.add("unet-explainer");
    root.setAttribute("data-lm-suppress-shortcuts", "true"); // or JupyterLab takes the keys
    root.addEventListener("keydown", (event) => event.key !== "Tab" && event.stopPropagation());
    paintTheme();
    const main = add(root, "div", { class: "main" });
    const input = add(main, "section", { class: "input", "aria-label": "the picture" });
    parts.u = add(main, "section", { class: "u", "aria-label": "the U: all maps of the network" });
    const levels = add(main, "section", { class: "levels", "aria-label": "inside of the network", hidden: "" });
    const output = add(main, "section", { class: "output", "aria-label": "the answer" });
    parts.main = main;
    parts.input = mountInput(input, it);
    parts.output = mountOutput(output, it);
    parts.stage = mountStage(parts.u, it);
    parts.levels = mountLevels(levels, it);
    buildBar(add(output, "div", { class: "switches" }));
    parts.cards = mountCards(add(root, "section", { class: "cards", "aria-label": "questions" }), it);
    parts.said = add(root, "p", { class: "said", role: "status" });
    parts.failed = add(root, "p", { class: "failed", role: "alert" });
    new ResizeObserver(resize).observe(root);
    if (data.isPage) addEventListener("resize", resize);
    resize();
    const follow = () => set({ ...first, ...stateFrom(location.hash, first, data) }, "Set as the address says");
    if (data.isPage) addEventListener("hashchange", follow);
  }

  function buildBar(bar) {
    if (data.networks.length > 1) {
      const label = add(bar, "label", {}, "Network");
      parts.network = add(label, "select");
      for (const { name, label: words } of data.networks) add(parts.network, "option", { value: name }, words);
      parts.network.addEventListener("change", () => set({ network: parts.network.value }, parts.network.selectedOptions[0].text));
    }
    const scale = add(bar, "label", {}, "One grey scale for");
    parts.scale = add(scale, "select");
    for (const [value, words] of [["map", "each map"], ["stage", "each layer"]]) add(parts.scale, "option", { value }, words);
    parts.scale.addEventListener("change", () => set({ scale: parts.scale.value }, ""));
    parts.muted = add(bar, "button", { type: "button", hidden: true });
    parts.muted.addEventListener("click", () => set({ muted: [] }, "All maps heard again"));
    if (!data.isPage) return;
    const copy = add(bar, "button", { type: "button" }, "Copy link");
    copy.addEventListener("click", async () => {
      history.replaceState(null, "", addressOf(state, first) || location.pathname + location.search);
      const fails = await navigator.clipboard?.writeText(location.href).then(() => false, () => true) ?? true;
      say(fails ? "The link stands in the address bar." : `Link copied${state.picture === "own" ? ", without your own picture" : ""}.`);
    });
  }

  function updateBar() {
    if (parts.network) parts.network.value = state.network;
    parts.scale.value = state.scale;
    parts.muted.hidden = state.muted.length === 0;
    write(parts.muted, "text", `Unmute ${state.muted.length} ${state.muted.length === 1 ? "map" : "maps"}`);
  }

  function paintTheme() {
    const [red, green, blue] = groundOf(root);
    const isDark = 0.3 * red + 0.6 * green + 0.1 * blue < 128;
    root.classList.toggle("is-dark", isDark);
    root.style.setProperty("--ground", `rgb(${red} ${green} ${blue})`);
    for (const [role, { line, fill }] of Object.entries(data.colours)) {
      root.style.setProperty(`--${role}-line`, isDark ? `color-mix(in srgb, ${line} 50%, white)` : line);
      root.style.setProperty(`--${role}-fill`, isDark ? `color-mix(in srgb, ${line} 35%, #16181c)` : fill);
    }
  }

  const [theme, scheme] = [new MutationObserver(paintTheme), matchMedia("(prefers-color-scheme: dark)")];

  // Only while it is on the page; or the page would keep each Explainer that ever stood there, with all its maps.
  function watchTheme() {
    theme.disconnect();
    scheme.removeEventListener("change", paintTheme);
    if (!root.isConnected) return;
    for (const place of [document.documentElement, document.body]) theme.observe(place, { attributes: true });
    scheme.addEventListener("change", paintTheme);
    paintTheme();
  }

  let [width, height] = [0, 0];

  function resize() {
    watchTheme();
    if (!result) ask(); // a notebook may have scrolled it away before its first pass
    const isWide = root.clientWidth >= WIDE;
    const tall = data.isPage && isWide ? Math.max(LEAST, Math.min(MOST, innerHeight - REST)) : LEAST;
    if (!root.clientWidth || (root.clientWidth === width && tall === height)) return;
    [width, height] = [root.clientWidth, tall];
    root.classList.toggle("is-wide", isWide);
    root.classList.toggle("is-narrow", width < NARROW);
    const wing = isWide ? Math.max(206, Math.min(300, 0.15 * width)) : 0;
    root.style.setProperty("--photo", `${wing - 6}px`);
    parts.stage.resize(width, height, wing, width < NARROW);
    show();
  }

  // Picture and answer may be wider below the first level of the U, which leaves its corners free.
  function fitCorners() {
    if (parts.u.hidden) return;
    for (const [side, room] of Object.entries(parts.stage.corners)) parts.main.style.setProperty(`--${side}`, `${room}px`);
  }

  build();
}
