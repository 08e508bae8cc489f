// What the parts of the Explainer share: how a map is painted, and what a layer is called.

// Write only where something is new: that is what takes time on a page of some hundred parts.
export function write(place, attribute, value) {
  if (attribute === "text") {
    if (place.textContent !== String(value)) place.textContent = value;
  } else if (place.getAttribute(attribute) !== String(value)) place.setAttribute(attribute, value);
}

export function spread(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

// One pixel of the canvas for each value; the style sheet says how large it is seen.
function paint(canvas, { rows, columns, values }, colour) {
  if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows];
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let k = 0; k < pixels.length; k++) pixels[k] = colour(values[k]);
  context.putImageData(image, 0, 0);
}

// `low` is black, `high` is white.
export function paintGrey(canvas, map, low, high) {
  const scale = high > low ? 255 / (high - low) : 0;
  paint(canvas, map, (value) => {
    const grey = Math.max(0, Math.min(255, (value - low) * scale)) | 0;
    return 0xff000000 | (grey * 0x010101);
  });
}

// Negative numbers in orange, positive ones in purple; the larger the stronger, and 0 is nearly white: matplotlib's PuOr.
const SIGNED_COLOURS = ["7f3b08", "b35806", "e08214", "fdb863", "fee0b6", "f7f7f7", "d8daeb", "b2abd2", "8073ac", "542788", "2d004b"]
  .map((colour) => [0, 2, 4].map((digit) => parseInt(colour.slice(digit, digit + 2), 16)));

function signedParts(share) {
  const place = (Math.max(-1, Math.min(1, share)) + 1) * 5;
  const [from, to] = [SIGNED_COLOURS[Math.floor(place)], SIGNED_COLOURS[Math.min(10, Math.floor(place) + 1)]];
  return from.map((end, k) => Math.round(end + (to[k] - end) * (place % 1)));
}

// The colour of a number that is this share, −1 to 1, of the largest.
export function signedColour(share) {
  return `rgb(${signedParts(share).join(" ")})`;
}

// In as many steps as figures/panels.py has, so that faint noise stays white.
const SIGNED_STEPS = Uint32Array.from({ length: 33 }, (_, step) => {
  const [red, green, blue] = signedParts(step / 16 - 1);
  return 0xff000000 | (blue << 16) | (green << 8) | red;
});

export function paintSigned(canvas, map, most) {
  paint(canvas, map, (value) => SIGNED_STEPS[Math.round(16 * Math.max(-1, Math.min(1, value / (most || 1)))) + 16]);
}

// How a layer is called by people.
export function layerWords(layers, name) {
  const [part, , convolution] = name.split(".");
  const { level } = layers.find((layer) => layer.name === name);
  const isBottom = level === Math.max(...layers.map((layer) => layer.level));
  const which = convolution === "0" ? "first convolution" : "second convolution";
  if (part === "input") return "the picture";
  if (part === "head") return "the answer, 1×1 convolution";
  if (part === "pool") return `level ${level}, after pooling`;
  if (part === "up") return `level ${level}, step up`;
  if (part === "join") return `level ${level}, the copy and the step up`;
  if (part === "contracting") return `level ${level} ${isBottom ? "(the bottom)" : "down"}, ${which}`;
  return `level ${level} up, ${which}`;
}

// The roles of figures/unet.py, and so its colours.
export function roleOf(name) {
  const part = name.split(".")[0];
  return { input: "neutral", contracting: "input", pool: "input", join: "skip" }[part] ?? "output";
}

export function reduced() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

// The colour of what lies behind an element, [red, green, blue]: notebooks and books have themes of their own, which no media query
// tells.
export function groundOf(root) {
  for (let place = root.parentElement; place; place = place.parentElement) {
    const [red, green, blue, opacity = 1] = (getComputedStyle(place).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
    if (opacity > 0.5) return [red, green, blue];
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? [22, 24, 28] : [255, 255, 255];
}
