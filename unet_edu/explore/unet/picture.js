// What can be done to a picture. A change is a short list of whole numbers that begins with its name, so that it can be undone,
// and stand in an address: ["draw", x, y, …]. Pictures are planes from 0 (black) to 1 (white).
//
//   changed(picture, edits, look) → { rows, columns, values }
//   newCell(x, y, seed), rubbedCell(x, y, answer) → an edit

const REACH = 40; // pixels around a drawn cell, as far as its light goes
const GRAIN = 0.012; // of all drawn pictures

export function changed({ rows, columns, values }, edits, look) {
  let image = { rows, columns, values: Float32Array.from(values) };
  const last = (kind) => edits.findLast(([name]) => name === kind)?.[1] ?? 0;
  for (const [kind, ...numbers] of edits) image = CHANGES[kind]?.(image, numbers, look) ?? image;
  const [light, noise, random] = [last("light") / 100, last("noise") / 100, normal(7)];
  for (let k = 0; k < image.values.length; k++) {
    image.values[k] = Math.max(0, Math.min(1, image.values[k] + light + (noise && noise * random())));
  }
  return image;
}

const CHANGES = {
  draw(image, [x, y, ...form], look) {
    const patch = cellPatch(look, ...form);
    for (let row = Math.max(0, y - REACH); row < Math.min(image.rows, y + REACH); row++) {
      for (let column = Math.max(0, x - REACH); column < Math.min(image.columns, x + REACH); column++) {
        image.values[row * image.columns + column] += patch[(row - y + REACH) * 2 * REACH + column - x + REACH];
      }
    }
    return image;
  },
  rub: rubOut,
  move(image, [right, down]) {
    return rearranged(image, image.rows, image.columns, (row, column) => [row - down, column - right]);
  },
  turn(image) {
    return rearranged(image, image.columns, image.rows, (row, column) => [image.rows - 1 - column, row]);
  },
};

// A picture whose pixels come from elsewhere in another; beyond its edge it is mirrored.
function rearranged(image, rows, columns, from) {
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [y, x] = from(row, column);
      values[row * columns + column] = image.values[mirrored(y, image.rows) * image.columns + mirrored(x, image.columns)];
    }
  }
  return { rows, columns, values };
}

function mirrored(place, side) {
  const turn = ((place % (2 * side)) + 2 * side) % (2 * side);
  return turn < side ? turn : 2 * side - 1 - turn;
}

// ---- one cell, drawn as unet_edu/data/cells.py draws them ------------------------------------------------------------------------

export function newCell(x, y, seed) {
  const random = uniform(seed);
  const between = (low, high) => Math.round(low + (high - low) * random());
  return ["draw", x, y, between(9, 13), between(100, 125), between(0, 179), seed]; // radius, length in hundredths, angle, seed
}

const patches = new Map(); // while a cell is dragged it only moves

function cellPatch(look, radius, stretch, angle, seed) {
  const key = [look, radius, stretch, angle, seed].join();
  const lit = look === "fluorescence" ? shining : inPhaseContrast;
  if (!patches.has(key)) patches.set(key, lit(depthOfCell(radius, stretch / 100, angle, seed), seed));
  return patches.get(key);
}

const patch = (value) => Float32Array.from({ length: 4 * REACH * REACH }, (_, k) => value(k));

// 1 in the middle of the cell, 0 on its rim and outside.
function depthOfCell(radius, stretch, angle, seed) {
  const [cos, sin, bend] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180), uniform(seed + 1)() * 6];
  return patch((k) => {
    const [y, x] = [Math.floor(k / (2 * REACH)) - REACH, (k % (2 * REACH)) - REACH];
    const [along, across] = [(cos * x + sin * y) / (radius * stretch), (cos * y - sin * x) / (radius / stretch)];
    const bent = 1 + 0.07 * Math.sin(3 * Math.atan2(across, along) + bend); // or it would look drawn
    return Math.max(0, 1 - (along * along + across * across) / (bent * bent));
  });
}

// Darker where it is thicker than its surroundings, with a bright halo.
function inPhaseContrast(depth, seed) {
  const [thick, coarse, fine] = [0.75 + 0.3 * uniform(seed + 2)(), texture(seed + 3, 2.5), texture(seed + 4, 0.8)];
  const nucleus = depth.map((d) => (d > 0 ? 1 / (1 + Math.exp(-(d - 0.62) / 0.07)) : 0));
  const body = depth.map((d, k) => {
    if (d === 0) return 0;
    const rim = Math.exp(-((d / 0.18) ** 2)) * Math.max(0, 0.7 + 0.5 * coarse[k]);
    return thick * (0.35 + 0.45 * Math.sqrt(d) + 0.45 * rim) + fine[k] * (0.08 + 0.2 * nucleus[k]);
  });
  const delay = blurred(body, 0.6);
  const [near, far, soft] = [blurred(delay, 4.5), blurred(delay, 14), blurred(nucleus, 1.5)];
  return patch((k) => {
    const contrast = delay[k] - near[k] + 0.25 * (near[k] - far[k]);
    return -0.6 * contrast * (contrast < 0 ? 1.35 : 1) + 0.1 * thick * soft[k];
  });
}

// A nucleus whose dye shines.
function shining(depth, seed) {
  const [bright, fine, coarse, random] = [0.6 + 0.35 * uniform(seed + 2)(), texture(seed + 3, 1.6), texture(seed + 4, 4), normal(seed + 5)];
  const nucleus = depth.map((d, k) => d && bright * (1 + 0.16 * fine[k] + 0.1 * coarse[k]) * (0.55 + 0.45 * Math.sqrt(d)));
  const [sharp, far] = [blurred(nucleus, 0.8), blurred(nucleus, 12)];
  return patch((k) => {
    const seen = 0.65 * (sharp[k] + 0.25 * far[k]);
    return seen + 0.035 * Math.sqrt(Math.max(0, seen)) * random();
  });
}

// Random blobs about as wide as said, of mean 0 and standard deviation 1.
function texture(seed, width) {
  const random = normal(seed);
  const noise = blurred(patch(() => random()), width);
  const size = Math.sqrt(noise.reduce((sum, value) => sum + value * value, 0) / noise.length);
  return noise.map((value) => value / size);
}

// A Gaussian, along the rows and then along the columns of a patch.
function blurred(values, width) {
  const half = Math.ceil(3 * width);
  const kernel = Array.from({ length: 2 * half + 1 }, (_, k) => Math.exp(-((k - half) ** 2) / (2 * width * width)));
  const total = kernel.reduce((sum, weight) => sum + weight, 0);
  const along = (from, step, other) => {
    const to = new Float32Array(from.length);
    for (let line = 0; line < 2 * REACH; line++) {
      for (let place = 0; place < 2 * REACH; place++) {
        let sum = 0;
        for (let k = Math.max(-half, -place); k <= Math.min(half, 2 * REACH - 1 - place); k++) {
          sum += kernel[k + half] * from[line * other + (place + k) * step];
        }
        to[line * other + place * step] = sum / total;
      }
    }
    return to;
  };
  return along(along(values, 1, 2 * REACH), 2 * REACH, 1);
}

// ---- rubbing out -----------------------------------------------------------------------------------------------------------------

// The whole cell that lies there, as an ellipse and a little around it; or else a small disc.
export function rubbedCell(x, y, { rows, columns, top, left, cells: { labels } }) {
  const [column, row] = [x - left, y - top];
  const isInside = column >= 0 && row >= 0 && column < columns && row < rows;
  const own = isInside && labels[row * columns + column];
  if (!own) return ["rub", x, y, 9, 9, 0];
  let [count, sumX, sumY, xx, yy, xy] = [0, 0, 0, 0, 0, 0];
  for (let k = 0; k < labels.length; k++) {
    if (labels[k] !== own) continue;
    const [right, down] = [(k % columns) - column, Math.floor(k / columns) - row];
    [count, sumX, sumY, xx, yy, xy] = [count + 1, sumX + right, sumY + down, xx + right ** 2, yy + down ** 2, xy + right * down];
  }
  const [meanX, meanY] = [sumX / count, sumY / count];
  const [a, b, c] = [xx / count - meanX ** 2, yy / count - meanY ** 2, xy / count - meanX * meanY];
  const axis = (sign) => Math.round(2 * Math.sqrt(Math.max(1, (a + b) / 2 + sign * Math.hypot((a - b) / 2, c)))) + 4;
  return ["rub", Math.round(x + meanX), Math.round(y + meanY), axis(1), axis(-1), Math.round((Math.atan2(2 * c, a - b) * 90) / Math.PI)];
}

// Filled from its rim: each pixel becomes the mean of its neighbours, again and again, and then gets the grain of the ground.
function rubOut(image, [x, y, long, short, angle]) {
  const { rows, columns, values } = image;
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  const inside = [];
  for (let row = Math.max(0, y - long); row <= Math.min(rows - 1, y + long); row++) {
    for (let column = Math.max(0, x - long); column <= Math.min(columns - 1, x + long); column++) {
      const [right, down] = [column - x, row - y];
      if (((cos * right + sin * down) / long) ** 2 + ((cos * down - sin * right) / short) ** 2 <= 1) inside.push(row * columns + column);
    }
  }
  const around = (k) => [
    k >= columns ? k - columns : k, k + columns < rows * columns ? k + columns : k,
    k % columns ? k - 1 : k, (k + 1) % columns ? k + 1 : k,
  ];
  const isInside = new Set(inside);
  const rim = inside.flatMap(around).filter((k) => !isInside.has(k)).map((k) => values[k]);
  const ground = rim.sort((a, b) => a - b)[rim.length >> 1] ?? 0.5;
  for (const k of inside) values[k] = ground;
  for (let time = 0; time < 60; time++) {
    for (const k of inside) values[k] = around(k).reduce((sum, other) => sum + values[other], 0) / 4;
  }
  const random = normal(x * 997 + y);
  for (const k of inside) values[k] += GRAIN * random();
  return image;
}

// ---- random numbers: the same seed gives the same, so that a link shows what was drawn ---------------------------------------------

function uniform(seed) {
  let state = Math.imul(seed + 1, 0x9e3779b1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function normal(seed) {
  const random = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

// ---- connected pixels --------------------------------------------------------------------------------------------------------------

// As `connected` in unet_edu/instances.py: over edges, not corners; numbered in the order in which their first pixels are read.
export function connectedCells({ rows, columns, probability }) {
  const labels = new Uint16Array(rows * columns);
  let count = 0;
  for (let first = 0; first < labels.length; first++) {
    if (labels[first] || probability[first] <= 0.5) continue;
    labels[first] = ++count;
    for (const waiting = [first]; waiting.length; ) {
      const k = waiting.pop();
      const beside = [k - columns, k + columns, k % columns ? k - 1 : -1, (k + 1) % columns ? k + 1 : -1];
      for (const next of beside) {
        if (next >= 0 && next < labels.length && !labels[next] && probability[next] > 0.5) {
          labels[next] = count;
          waiting.push(next);
        }
      }
    }
  }
  return { rows, columns, labels, count };
}
