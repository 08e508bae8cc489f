// The picture, and what one can do with it.
//
//   mountInput(root, it) → { update() }
import { add } from "../dom.js";
import { write } from "./parts.js";
import { newCell, rubbedCell } from "./picture.js";

const TOOLS = {
  draw: ["Draw a cell", "Press where a cell shall be, and drag it."],
  rub: ["Erase one", "Press on a cell: its surroundings take its place."],
  move: ["Drag it", "What leaves on one side is mirrored on the other."],
};
const STEP = 4; // pixels that an arrow key moves the cross; with shift it is one

export function mountInput(root, it) {
  const parts = {};
  let tool = "draw";
  let cross = null; // [x, y], while the keyboard has it
  let pressed = null; // where the pointer went down, in pixels of the picture
  let camera = null; // what it films, while it is on

  // ---- the picture ---------------------------------------------------------------------------------------------------------------

  function build() {
    const box = add(root, "div", { class: "drawing" });
    add(box, "h3", {}, "Picture");
    const frame = add(box, "div", { class: "frame" });
    parts.canvas = add(frame, "canvas", { tabindex: 0, role: "application", "data-key": "picture" });
    parts.cross = add(frame, "span", { class: "cross", hidden: "" });
    parts.hint = add(box, "p", { class: "below", id: `${it.own}-hint` });
    parts.canvas.setAttribute("aria-describedby", parts.hint.id);
    const pointer = { pointerdown: press, pointermove: drag, pointerup: release, pointercancel: release };
    for (const [name, answer] of Object.entries({ ...pointer, keydown: onKey, blur: hideCross })) parts.canvas.addEventListener(name, answer);
    buildTools(add(root, "div", { class: "tools" }));
  }

  function buildTools(tools) {
    parts.pictures = buildPictures(add(tools, "div", { class: "pictures", role: "radiogroup", "aria-label": "pictures to choose" }));
    const kinds = add(tools, "div", { class: "segments", role: "radiogroup", "aria-label": "tool" });
    parts.tools = Object.entries(TOOLS).map(([name, [words]]) => {
      const label = add(kinds, "label");
      const radio = add(label, "input", { type: "radio", name: `${it.own}-tool`, value: name, "data-key": name });
      add(label, "span", {}, words);
      radio.addEventListener("change", () => ((tool = name), update()));
      return radio;
    });
    const sliders = add(tools, "div", { class: "sliders" });
    parts.light = slider(sliders, "Brightness", "light", -40, 40);
    parts.noise = slider(sliders, "Noise", "noise", 0, 30);
    const bar = add(tools, "div", { class: "bar" });
    action(bar, "Turn", () => it.set({ edits: [...it.state.edits, ["turn"]] }, "Picture turned by a quarter"));
    parts.undo = action(bar, "Undo", it.undo);
    parts.reset = action(bar, "As it was", it.reset);
    buildOwn(add(tools, "div", { class: "bar" }));
  }

  function action(parent, words, act) {
    const button = add(parent, "button", { type: "button" }, words);
    button.addEventListener("click", act);
    return button;
  }

  function buildPictures(group) {
    return it.pictures.map(({ name, label, grey, rows, columns }) => {
      const choice = add(group, "label", { title: label });
      const radio = add(choice, "input", { type: "radio", name: `${it.own}-picture`, value: name, "aria-label": label });
      const canvas = add(choice, "canvas", { width: columns, height: rows, "aria-hidden": "true" });
      const pixels = new ImageData(columns, rows);
      grey.forEach((value, k) => pixels.data.set([value, value, value, 255], 4 * k));
      canvas.getContext("2d").putImageData(pixels, 0, 0);
      radio.addEventListener("change", () => it.set({ picture: name, edits: [] }, label));
      return radio;
    });
  }

  function slider(parent, words, kind, low, high) {
    const label = add(parent, "label", {}, words);
    const input = add(label, "input", { type: "range", min: low, max: high, value: 0, "data-key": kind });
    input.addEventListener("input", () => {
      const { edits } = it.state;
      const goesOn = edits.at(-1)?.[0] === kind;
      it.set({ edits: [...(goesOn ? edits.slice(0, -1) : edits), [kind, Number(input.value)]] }, `${words} ${input.value}`, goesOn);
    });
    return input;
  }

  // ---- your own picture: it stays in this page ---------------------------------------------------------------------------------------

  function buildOwn(bar) {
    const label = add(bar, "label", { class: "button" }, "Your own file");
    const file = add(label, "input", { type: "file", accept: "image/*", "data-key": "file" });
    file.addEventListener("change", async () => {
      if (!file.files.length) return;
      if (camera) stopCamera();
      try {
        takeOwn(await createImageBitmap(file.files[0]), file.files[0].name);
      } catch {
        it.say("This file is no picture that a browser can read.");
      }
      file.value = "";
    });
    if (!navigator.mediaDevices?.getUserMedia) return;
    parts.camera = action(bar, "Camera", () => (camera ? stopCamera() : startCamera()));
  }

  // The middle of it, as large as the other pictures, in grey with the weights of the eye.
  function takeOwn(source, label, goesOn = false) {
    const { rows, columns } = it.pictures[0];
    const [width, height] = [source.videoWidth ?? source.width, source.videoHeight ?? source.height];
    const scale = Math.max(columns / width, rows / height);
    const canvas = new OffscreenCanvas(columns, rows);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.imageSmoothingQuality = "high";
    context.drawImage(source, (columns - width * scale) / 2, (rows - height * scale) / 2, width * scale, height * scale);
    const { data } = context.getImageData(0, 0, columns, rows);
    const weighed = (k) => 0.2125 * data[k] + 0.7154 * data[k + 1] + 0.0721 * data[k + 2];
    const grey = Uint8Array.from({ length: rows * columns }, (_, k) => weighed(4 * k));
    it.takeOwn({ name: "own", label, look: null, rows, columns, grey }, goesOn);
  }

  async function startCamera() {
    const video = add(null, "video", { muted: "", playsinline: "" });
    camera = video;
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } });
      await video.play();
    } catch {
      if (camera === video) it.say("The browser gives no camera to this page.");
      return close(video);
    }
    if (camera !== video) return close(video); // while the browser asked, the reader thought better of it
    write(parts.camera, "text", "Hold still");
    film(video);
  }

  function film(video, goesOn = false) {
    if (camera !== video) return;
    const isLeft = !root.isConnected || (goesOn && it.state.picture !== "own"); // for another picture
    if (isLeft) return stopCamera();
    takeOwn(video, "what the camera sees", goesOn);
    requestAnimationFrame(() => film(video, true));
  }

  function stopCamera() {
    close(camera);
    write(parts.camera, "text", "Camera");
  }

  // Or its light would stay on.
  function close(video) {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    if (camera === video) camera = null;
  }

  // ---- pointer and keyboard ----------------------------------------------------------------------------------------------------------

  function placeOf(event) {
    const box = parts.canvas.getBoundingClientRect();
    const { rows, columns } = it.image;
    const inside = (value, side) => Math.max(0, Math.min(side - 1, Math.floor(value * side)));
    return [inside((event.clientX - box.left) / box.width, columns), inside((event.clientY - box.top) / box.height, rows)];
  }

  function press(event) {
    if (event.button > 0) return;
    parts.canvas.setPointerCapture(event.pointerId);
    hideCross();
    pressed = placeOf(event);
    if (tool !== "move") apply(...pressed);
  }

  function drag(event) {
    if (!pressed) return;
    const [x, y] = placeOf(event);
    const { edits } = it.state;
    const last = edits.at(-1);
    if (tool === "draw") it.set({ edits: [...edits.slice(0, -1), ["draw", x, y, ...last.slice(3)]] }, "", true);
    if (tool === "move") shift(x - pressed[0], y - pressed[1]);
    if (tool === "move") pressed = [x, y];
  }

  function release() {
    pressed = null;
  }

  function apply(x, y) {
    const { edits } = it.state;
    if (tool === "draw") it.set({ edits: [...edits, newCell(x, y, 1 + (edits.length % 97))] }, "Cell drawn");
    if (tool === "rub") it.set({ edits: [...edits, rubbedCell(x, y, it.result)] }, "Rubbed out");
  }

  function shift(right, down) {
    if (!right && !down) return;
    const { edits } = it.state;
    const [kind, x, y] = edits.at(-1) ?? [];
    const goesOn = kind === "move";
    const moved = goesOn ? ["move", x + right, y + down] : ["move", right, down];
    it.set({ edits: [...(goesOn ? edits.slice(0, -1) : edits), moved] }, "Picture moved", goesOn);
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 1 : STEP;
    const [right, down] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key] ?? [0, 0];
    if (!right && !down && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    if (tool === "move") return shift(right, down);
    const { rows, columns } = it.image;
    cross ??= [columns >> 1, rows >> 1];
    cross = [Math.max(0, Math.min(columns - 1, cross[0] + right)), Math.max(0, Math.min(rows - 1, cross[1] + down))];
    parts.cross.hidden = false;
    parts.cross.style.cssText = `left: ${(100 * (cross[0] + 0.5)) / columns}%; top: ${(100 * (cross[1] + 0.5)) / rows}%`;
    if (right || down) it.say(`column ${cross[0]}, row ${cross[1]}`);
    else apply(...cross);
  }

  function hideCross() {
    parts.cross.hidden = true;
  }

  // ---- every change ------------------------------------------------------------------------------------------------------------------

  function update() {
    const { state, image } = it;
    if (image) {
      const pixels = new ImageData(image.columns, image.rows);
      image.values.forEach((value, k) => pixels.data.set([255 * value, 255 * value, 255 * value, 255], 4 * k));
      [parts.canvas.width, parts.canvas.height] = [image.columns, image.rows];
      parts.canvas.getContext("2d").putImageData(pixels, 0, 0);
    }
    const [words, hint] = TOOLS[tool];
    const keys = tool === "move" ? "with the arrow keys" : "arrow keys move a cross, Enter does it";
    write(parts.canvas, "aria-label", `the picture, ${it.picture.label}. ${words}: ${keys}`);
    write(parts.canvas, "data-tool", tool);
    write(parts.hint, "text", hint);
    for (const radio of parts.tools) radio.checked = radio.value === tool;
    for (const radio of parts.pictures) radio.checked = radio.value === state.picture;
    for (const kind of ["light", "noise"]) parts[kind].value = state.edits.findLast(([name]) => name === kind)?.[1] ?? 0;
    parts.undo.disabled = !it.canUndo;
    parts.reset.disabled = it.isAsItWas;
  }

  build();
  update(); // all has its name before the first pass
  return { update };
}
