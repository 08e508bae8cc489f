// A trained U-Net, computed in the page. Lesson 06 builds the same network in PyTorch.
//
//   const net = await load(description);           // what export.py makes of a UNet; { simd: false } for plain JavaScript
//   net.run(image, { rows, columns });             // → { probability, … }; a copy can be left out, a map muted
//   net.map("contracting.1.2", 5)                  // → one channel of one layer, as the last run left it; before(…): before ReLU
//   net.parts("contracting.1.2", 5)                // → what each map of the layer before adds to it
//   net.product("contracting.1.2", 5, row, column) // → the products behind one pixel
//   net.layers, net.weights(name), net.copies()    // → what there is, its kernels, what goes across the U
//
// Layers have the names of `unet_edu.figures.unet.block_names`. Their maps lie in one long array of numbers, channel behind
// channel, each with a rim of zeros: the padding of the next 3×3 convolution. Those convolutions are nearly all of the work, so
// where the browser can, WebAssembly does them four columns at once (conv3x3.wat); `plain`, below, says the same in JavaScript.

export async function load(description, { simd = true } = {}) {
  return new Network(description, (simd && (await withSimd(description.wasm))) || plain());
}

class Network {
  #numbers; // all weights, then all maps
  #engine; // computes 3×3 convolutions in them
  #weights = new Map(); // name → { shape, kernel, bias }: where a layer's weights lie
  #planes = new Map(); // name → { first, channels, rows, columns, pitch, plane }: where its maps lie
  #end; // where the weights end and the maps begin
  #spare; // room for one kernel with its biases and four maps, which `before` and `parts` compute
  #switches = { copies: [], muted: new Set() }; // of the last run
  #corner; // of the window of the first pixel of a 3×3 convolution: on the rim of zeros, or in the image

  constructor(description, engine) {
    this.padding = description.padding;
    this.#corner = this.padding === "same" ? -1 : 0;
    this.skip = description.skip;
    this.depth = description.widths.length - 1;
    this.simd = engine.simd;
    this.layers = layersOf(description); // { name, kind, channels, rows, columns, level, from }, in the order of the computation
    this.#engine = engine;
    this.#keepWeights(description);
  }

  // The numbers are stored as they shall lie: for each layer its kernels, then its biases.
  #keepWeights({ tensors, weights }) {
    const stored = fromHalf(bytesFrom(weights));
    this.#end = stored.length;
    this.#numbers = this.#engine.room(this.#end);
    this.#numbers.set(stored);
    let kernel = 0;
    for (const [name, shape] of Object.entries(tensors)) {
      const bias = kernel + countOf(shape);
      this.#weights.set(name, { shape, kernel, bias });
      kernel = bias + this.layer(name).channels;
    }
  }

  layer(name) {
    const found = this.layers.find((layer) => layer.name === name);
    if (found) return found;
    throw new RangeError(`"${name}" is no layer of this network; there are ${this.layers.map(({ name }) => name).join(", ")}`);
  }

  // ---- sizes ---------------------------------------------------------------------------------------------------------------

  // The smallest side of an image that fits and is at least as large, as `unet_edu.sizes.legal_side` has it.
  legalSide(side) {
    const step = 2 ** this.depth;
    const smallest = this.padding === "same" ? step : step * (4 - Math.floor(3 / step) + 8) - 4;
    return side <= smallest ? smallest : smallest + step * Math.ceil((side - smallest) / step);
  }

  // The side of each layer's maps, for images of this side.
  #sides(side) {
    const lost = this.padding === "valid" ? 2 : 0;
    const found = {};
    for (const { name, kind, from } of this.layers) {
      const before = kind === "input" ? side : found[from.at(-1)]; // a copy is cut to the size of what came up
      found[name] = kind === "conv" ? before - lost : kind === "pool" ? before / 2 : kind === "up" ? 2 * before : before;
      if (found[name] >= 1 && Number.isInteger(found[name])) continue;
      const wrong = `a side of ${side} pixels does not fit: at ${name} it would be ${found[name]}`;
      throw new RangeError(`${wrong}; ${this.legalSide(side)} fits`);
    }
    return found;
  }

  // A place for each map. With images of the same size as before, everything is there already.
  #makeRoom(rows, columns) {
    const input = this.layer("input");
    if (input.rows === rows && input.columns === columns) return;
    const [heights, widths] = [this.#sides(rows), this.#sides(columns)];
    const planes = new Map();
    let [to, largest] = [this.#end, 0];
    for (const { name, channels } of this.layers) {
      const size = { channels, rows: heights[name], columns: widths[name] };
      const pitch = upToFour(size.columns) + 4; // from one row to the next: whole fours, and a rim left and right
      const plane = (size.rows + 2) * pitch; // from one channel to the next: a rim above and below
      planes.set(name, { first: to, ...size, pitch, plane });
      to += upToFour(channels) * plane;
      largest = Math.max(largest, plane);
    }
    this.#numbers = this.#engine.room(to + 40 + 4 * largest); // or it fails, and all stays as it was
    this.#numbers.fill(0, this.#end); // the rims stay so
    this.#spare = { kernel: to, bias: to + 36, first: to + 40 };
    this.#planes = planes;
    for (const layer of this.layers) [layer.rows, layer.columns] = [heights[layer.name], widths[layer.name]];
  }

  // ---- one pass through the network ----------------------------------------------------------------------------------------

  // image: a Float32Array, channel behind channel, row behind row. copies: for each level "kept", "zeroed", or the level's entry
  // of another run's `copies()`. muted: a set of "layer:channel", whose maps become 0.
  //
  // The probability is that of class 1 or, of more than two classes, that of each, class behind class. It is as large as the
  // head's maps, `rows` × `columns`, and lies in the image from `top`, `left` on.
  run(image, { rows, columns, copies = [], muted = new Set() }) {
    const began = performance.now();
    const { channels } = this.layer("input");
    if (image.length !== channels * rows * columns)
      throw new RangeError(`expected an image of ${channels} × ${rows} × ${columns} numbers, got ${image.length}`);
    this.#makeRoom(rows, columns);
    this.#expectCopies(copies);
    this.#switches = { copies: [...copies], muted: new Set(muted) };
    for (const layer of this.layers) {
      const [x, y] = [this.#planes.get(layer.from[0]), this.#planes.get(layer.name)];
      if (layer.kind === "input") this.#input(image, y);
      else if (layer.kind === "pool") this.#pool(x, y);
      else if (layer.kind === "join") this.#join(layer, x, this.#planes.get(layer.from[1]), y);
      else this.#weigh(layer.kind, x, this.#weights.get(layer.name), y, 0);
      for (let c = 0; c < layer.channels; c++)
        if (this.#isMuted(layer.name, c)) this.#numbers.fill(0, y.first + c * y.plane, y.first + (c + 1) * y.plane);
    }
    const head = this.layer("head");
    const [top, left] = middle(this.layer("input"), head);
    const probability = this.#probability();
    return { probability, rows: head.rows, columns: head.columns, top, left, milliseconds: performance.now() - began };
  }

  #expectCopies(copies) {
    for (const [level, copy] of copies.entries()) {
      const join = this.layers.find((layer) => layer.kind === "join" && layer.level === level);
      if (!join || copy === undefined || copy === "kept" || copy === "zeroed") continue;
      const expected = this.layer(join.from[1]); // a copy has as many channels as what came up, and is cut to its size
      if (!["channels", "rows", "columns"].every((of) => copy[of] === expected[of]))
        throw new RangeError(
          `copies[${level}]: expected "kept", "zeroed", or an entry of copies() of a picture of the same size with ` +
            `${expected.channels} × ${expected.rows} × ${expected.columns} numbers`,
        );
    }
  }

  #isMuted(name, channel) {
    return this.#switches.muted.has(`${name}:${channel}`);
  }

  #input(image, y) {
    for (let c = 0, from = 0; c < y.channels; c++)
      for (let i = 0; i < y.rows; i++, from += y.columns)
        this.#numbers.set(image.subarray(from, from + y.columns), place(y, c, i, 0));
  }

  // The three kinds of layers that have weights. What comes out is at least `least`: 0 for ReLU.
  #weigh(kind, x, weights, y, least) {
    if (kind === "up") return this.#up(x, weights, y);
    if (kind === "head") return this.#head(x, weights, y);
    this.#engine.convolve(x, place(x, 0, this.#corner, this.#corner), weights, y, least);
  }

  // 2×2 max pooling.
  #pool(x, y) {
    const numbers = this.#numbers;
    for (let c = 0; c < y.channels; c++)
      for (let i = 0; i < y.rows; i++)
        for (let j = 0, from = place(x, c, 2 * i, 0), to = place(y, c, i, 0); j < y.columns; j++, from += 2, to++) {
          const above = Math.max(numbers[from], numbers[from + 1]);
          numbers[to] = Math.max(above, numbers[from + x.pitch], numbers[from + x.pitch + 1]);
        }
  }

  // 2×2 transposed convolution with stride 2: each pixel lays a stamp of 2×2, the kernel times its number. Stamps of one map lie
  // side by side, those of all maps lie on each other and are added.
  #up(x, { kernel, bias }, y) {
    const numbers = this.#numbers;
    for (let o = 0; o < y.channels; o++)
      for (let i = 0; i < x.rows; i++)
        for (let j = 0; j < x.columns; j++) {
          let [from, weight] = [place(x, 0, i, j), kernel + 4 * o];
          let a = numbers[bias + o];
          let [b, c, d] = [a, a, a];
          for (let n = 0; n < x.channels; n++, from += x.plane, weight += 4 * y.channels) {
            const value = numbers[from];
            a += value * numbers[weight];
            b += value * numbers[weight + 1];
            c += value * numbers[weight + 2];
            d += value * numbers[weight + 3];
          }
          const to = place(y, o, 2 * i, 2 * j);
          numbers[to] = a;
          numbers[to + 1] = b;
          numbers[to + y.pitch] = c;
          numbers[to + y.pitch + 1] = d;
        }
  }

  // What came across the U meets what came up: the channels behind each other, or number by number.
  #join({ level }, copy, up, y) {
    const numbers = this.#numbers;
    const { values, first, pitch, plane } = this.#carried(level, copy, up);
    for (let c = 0; c < up.channels; c++)
      for (let i = 0; i < up.rows; i++)
        for (let j = 0; j < up.columns; j++) {
          const across = values ? values[first + c * plane + i * pitch + j] : 0;
          const below = numbers[place(up, c, i, j)];
          if (this.skip === "concat") {
            numbers[place(y, c, i, j)] = across;
            numbers[place(y, copy.channels + c, i, j)] = below;
          } else numbers[place(y, c, i, j)] = this.skip === "add" ? across + below : across * below;
        }
  }

  // Where the numbers of a copy lie: in the middle of the map on the left, or in those of another picture, or nowhere.
  #carried(level, copy, up) {
    const state = this.#switches.copies[level] ?? "kept";
    if (state === "zeroed") return { values: null };
    if (state !== "kept") return { values: state.values, first: 0, pitch: up.columns, plane: up.rows * up.columns };
    const [top, left] = middle(copy, up);
    return { values: this.#numbers, first: place(copy, 0, top, left), pitch: copy.pitch, plane: copy.plane };
  }

  // 1×1 convolution: for each pixel and each class a weighted sum of the channels.
  #head(x, { kernel, bias }, y) {
    const numbers = this.#numbers;
    for (let o = 0; o < y.channels; o++)
      for (let i = 0; i < y.rows; i++)
        for (let j = 0; j < y.columns; j++) {
          let [from, weight] = [place(x, 0, i, j), kernel + o * x.channels];
          let sum = numbers[bias + o];
          for (let n = 0; n < x.channels; n++, from += x.plane) sum += numbers[from] * numbers[weight + n];
          numbers[place(y, o, i, j)] = sum;
        }
  }

  // Softmax of the scores. Of two classes, the second says all.
  #probability() {
    const scores = this.#planes.get("head");
    const [pixels, first] = [scores.rows * scores.columns, scores.channels === 2 ? 1 : 0];
    const found = new Float32Array(pixels * (scores.channels - first));
    for (let pixel = 0; pixel < pixels; pixel++) {
      const at = place(scores, 0, Math.floor(pixel / scores.columns), pixel % scores.columns);
      const score = (k) => this.#numbers[at + k * scores.plane];
      let most = score(0); // taken off all, so that no power is too large for a number
      for (let k = 1; k < scores.channels; k++) most = Math.max(most, score(k));
      let sum = 0;
      for (let k = 0; k < scores.channels; k++) sum += Math.exp(score(k) - most);
      for (let k = first; k < scores.channels; k++) found[(k - first) * pixels + pixel] = Math.exp(score(k) - most) / sum;
    }
    return found;
  }

  // ---- what there is to see after a run ------------------------------------------------------------------------------------

  // One channel of a layer, after ReLU; of the head the scores.
  map(name, channel) {
    return this.#read(this.#expectMap(name, channel), channel);
  }

  // The same made small, to be seen among hundreds: the means of squares with so many pixels a side. Of large squares every second
  // row and column is enough.
  small(name, channel, side) {
    const x = this.#expectMap(name, channel);
    const [rows, columns] = [Math.floor(x.rows / side), Math.floor(x.columns / side)];
    const [values, step] = [new Float32Array(rows * columns), side < 4 ? 1 : 2];
    const count = Math.ceil(side / step) ** 2;
    for (let row = 0, k = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, k++) {
        let total = 0;
        for (let i = 0; i < side; i += step) {
          const at = place(x, channel, row * side + i, column * side);
          for (let j = 0; j < side; j += step) total += this.#numbers[at + j];
        }
        values[k] = total / count;
      }
    }
    return { rows, columns, values };
  }

  // The same before ReLU, and before it was muted. Computed anew, because the network itself has no use for it.
  before(name, channel) {
    const y = this.#expectMap(name, channel);
    const { kind, from } = this.layer(name);
    if (kind !== "conv") return this.#read(y, channel);
    const { shape, kernel, bias } = this.#weights.get(name);
    const spare = { ...y, first: this.#spare.first, channels: 1 };
    const own = { kernel: kernel + channel * countOf(shape.slice(1)), bias: bias + channel };
    this.#weigh(kind, this.#planes.get(from[0]), own, spare, -Infinity);
    return this.#read(spare, 0);
  }

  // A layer's weights, batch normalisation folded in. Of a step up the shape is [in, out, 2, 2], of the others [out, in, h, w].
  weights(name) {
    const { shape, kernel, bias } = this.#weights.get(name);
    const channels = this.layer(name).channels;
    return {
      shape,
      kernel: this.#numbers.slice(kernel, kernel + countOf(shape)),
      bias: this.#numbers.slice(bias, bias + channels),
    };
  }

  // Of a layer with weights: what each map of the layer before adds to one of its maps. All of them and the bias, then ReLU, make
  // the map. `strength` is the mean size of what is added, to sort by.
  parts(name, channel) {
    const spare = { ...this.#expectMap(name, channel), first: this.#spare.first, channels: 1 };
    const { kind, from } = this.layer(name);
    const x = this.#planes.get(from[0]);
    return Array.from({ length: x.channels }, (_, c) => {
      const kernel = this.#kernel(name, channel, c);
      this.#numbers.fill(0, this.#spare.kernel, this.#spare.first); // no bias; and the other three of four channels are 0
      this.#numbers.set(kernel, this.#spare.kernel);
      this.#weigh(kind, { ...x, first: x.first + c * x.plane, channels: 1 }, this.#spare, spare, -Infinity);
      const part = this.#read(spare, 0);
      const strength = part.values.reduce((sum, value) => sum + Math.abs(value), 0) / part.values.length;
      return { from: from[0], channel: c, kernel, strength, ...part };
    });
  }

  // The kernel between one map and one map of the layer before.
  #kernel(name, channel, c) {
    const { shape, kernel } = this.#weights.get(name);
    const taps = shape[2] * shape[3];
    const pair = this.layer(name).kind === "up" ? c * shape[1] + channel : channel * shape[1] + c;
    return this.#numbers.slice(kernel + pair * taps, kernel + (pair + 1) * taps);
  }

  // Where one number comes from: `terms`, one for each number or window of the layer before that it is made of, and its `value`.
  // With weights: total = bias + the products of all terms, and value = total after ReLU, or 0 where the map is muted.
  product(name, channel, row, column) {
    const y = this.#expectMap(name, channel);
    const { kind } = this.layer(name);
    const value = this.#numbers[place(y, channel, row, column)];
    const found = { kind, value, isMuted: this.#isMuted(name, channel) };
    if (kind === "input") return found;
    if (kind === "pool") return { ...found, ...this.#chosen(name, channel, row, column) };
    if (kind === "join") return { ...found, how: this.skip, terms: this.#met(name, channel, row, column) };
    const terms = this.#weighed(name, channel, row, column);
    const bias = this.#numbers[this.#weights.get(name).bias + channel];
    return { ...found, terms, bias, total: terms.reduce((sum, term) => sum + term.product, bias) };
  }

  // Of a pooling: four numbers, and which of them is the largest (of equal ones the first).
  #chosen(name, channel, row, column) {
    const [from] = this.layer(name).from;
    const window = this.#window(from, channel, 2 * row, 2 * column, 2);
    const terms = [{ from, channel, row: 2 * row, column: 2 * column, window }];
    return { terms, largest: window.indexOf(Math.max(...window)) };
  }

  // Of a join: the number that came across, the one that came up, or both. Row and column are those in the map that it comes
  // from, `copy` says what became of the copy.
  #met(name, channel, row, column) {
    const { from, level } = this.layer(name);
    const [copy, up] = from.map((source) => this.#planes.get(source));
    const [top, left] = middle(copy, up);
    const c = channel % up.channels;
    const { values, first, pitch, plane } = this.#carried(level, copy, up);
    const across = values ? values[first + c * plane + row * pitch + column] : 0;
    const state = this.#switches.copies[level] ?? "kept";
    const terms = [
      { from: from[0], channel: c, row: row + top, column: column + left, value: across },
      { from: from[1], channel: c, row, column, value: this.#numbers[place(up, c, row, column)] },
    ];
    terms[0].copy = typeof state === "string" ? state : "another";
    return this.skip === "concat" ? [terms[channel < up.channels ? 0 : 1]] : terms;
  }

  // Of a layer with weights: for each channel of the layer before the numbers that are seen, those they are multiplied with, and
  // the sum of these products. A window begins at `row`, `column`; −1 is on the rim, where zeros are padded.
  #weighed(name, channel, row, column) {
    const { kind, from } = this.layer(name);
    const corner = kind === "conv" ? this.#corner : 0;
    const [i, j] = kind === "up" ? [row >> 1, column >> 1] : [row + corner, column + corner];
    const tap = 2 * (row % 2) + (column % 2); // of a step up: the place in the stamp
    return Array.from({ length: this.layer(from[0]).channels }, (_, c) => {
      const whole = [...this.#kernel(name, channel, c)];
      const kernel = kind === "up" ? [whole[tap]] : whole;
      const window = this.#window(from[0], c, i, j, kind === "conv" ? 3 : 1);
      const sum = window.reduce((sum, value, n) => sum + value * kernel[n], 0);
      return { from: from[0], channel: c, row: i, column: j, window, kernel, product: sum };
    });
  }

  #window(name, channel, row, column, side) {
    const x = this.#planes.get(name);
    const pixel = (n) => this.#numbers[place(x, channel, row + Math.floor(n / side), column + (n % side))];
    return Array.from({ length: side * side }, (_, n) => pixel(n));
  }

  // What goes across the U at each level for the picture of the last run. Another run takes it as a copy from another picture.
  copies() {
    const joins = this.layers.filter((layer) => layer.kind === "join").reverse(); // level 0 is joined last
    return joins.map(({ from }) => {
      const [copy, up] = from.map((name) => this.#planes.get(name));
      const [top, left] = middle(copy, up);
      const values = new Float32Array(copy.channels * up.rows * up.columns);
      for (let c = 0, to = 0; c < copy.channels; c++)
        for (let i = 0; i < up.rows; i++, to += up.columns) {
          const at = place(copy, c, top + i, left);
          values.set(this.#numbers.subarray(at, at + up.columns), to);
        }
      return { channels: copy.channels, rows: up.rows, columns: up.columns, values };
    });
  }

  #expectMap(name, channel) {
    const { channels } = this.layer(name);
    if (!(channel >= 0 && channel < channels))
      throw new RangeError(`${name} has the channels 0 to ${channels - 1}, not ${channel}`);
    if (!this.#planes.has(name)) throw new Error("no picture has gone through the network yet: call run first");
    return this.#planes.get(name);
  }

  // A map without its rim.
  #read(y, channel) {
    const values = new Float32Array(y.rows * y.columns);
    for (let i = 0; i < y.rows; i++) {
      const at = place(y, channel, i, 0);
      values.set(this.#numbers.subarray(at, at + y.columns), i * y.columns);
    }
    return { rows: y.rows, columns: y.columns, values };
  }
}

// The layers of a U: down, and up again.
function layersOf({ in_channels, num_classes, widths, skip }) {
  const layers = [];
  const add = (name, kind, channels, level, from = [layers.at(-1)?.name]) =>
    layers.push({ name, kind, channels, rows: 0, columns: 0, level, from }); // rows and columns come with an image
  const convolveTwice = (name, channels, level) => {
    for (const number of [0, 2]) add(`${name}.${number}`, "conv", channels, level); // with ReLU, which is 1 and 3 in PyTorch
  };
  add("input", "input", in_channels, 0, []);
  for (const [level, width] of widths.entries()) {
    if (level > 0) add(`pool.${level - 1}`, "pool", widths[level - 1], level);
    convolveTwice(`contracting.${level}`, width, level);
  }
  for (let level = widths.length - 2, step = 0; level >= 0; level--, step++) {
    const width = widths[level];
    add(`up.${step}`, "up", width, level);
    const joined = skip === "concat" ? 2 * width : width;
    if (skip !== "none") add(`join.${step}`, "join", joined, level, [`contracting.${level}.2`, `up.${step}`]);
    convolveTwice(`expanding.${step}`, width, level);
  }
  add("head", "head", num_classes, 0);
  return layers;
}

// ---- the 3×3 convolution -----------------------------------------------------------------------------------------------------
//
// An engine keeps the numbers (`room` makes room for so many, and leaves those that are there), and convolves one layer's maps,
// x, into the next one's, y. `start` is where the window of y's first pixel begins in x. WebAssembly makes four channels at once:
// what the last four have too many is never looked at.

// Nothing, where WebAssembly is missing, does not know SIMD, or is forbidden by the page.
async function withSimd(program) {
  try {
    const { instance } = await WebAssembly.instantiate(bytesFrom(program));
    const { memory, conv3x3 } = instance.exports;
    const [bytes, page] = [4, 65536];
    return {
      simd: true,
      room(count) {
        const missing = Math.ceil((bytes * count - memory.buffer.byteLength) / page);
        if (missing > 0) memory.grow(missing);
        return new Float32Array(memory.buffer);
      },
      convolve(x, start, { kernel, bias }, y, least) {
        const from = [start, x.pitch, x.plane].map((n) => bytes * n);
        const to = [place(y, 0, 0, 0), y.pitch, y.plane].map((n) => bytes * n);
        conv3x3(...from, x.channels, bytes * kernel, bytes * bias, ...to, y.channels, y.rows, y.columns, least);
      },
    };
  } catch {
    return null;
  }
}

function plain() {
  let numbers = new Float32Array(0);
  return {
    simd: false,
    room(count) {
      if (count > numbers.length) {
        const more = new Float32Array(count);
        more.set(numbers);
        numbers = more;
      }
      return numbers;
    },
    convolve(x, start, { kernel, bias }, y, least) {
      for (let o = 0; o < y.channels; o++)
        for (let i = 0; i < y.rows; i++) {
          const to = place(y, o, i, 0);
          numbers.fill(numbers[bias + o], to, to + y.columns);
          for (let c = 0; c < x.channels; c++) {
            const from = start + c * x.plane + i * x.pitch;
            addRow(numbers, from, x.pitch, kernel + 9 * (o * x.channels + c), to, y.columns);
          }
          for (let n = to; n < to + y.columns; n++) numbers[n] = Math.max(numbers[n], least);
        }
    },
  };
}

// To each number of a row: its window of 3×3, which begins at `from`, times one kernel, which begins at `kernel`.
function addRow(numbers, from, pitch, kernel, to, columns) {
  const [a, b, c, d, e, f, g, h, k] = numbers.subarray(kernel, kernel + 9);
  const [below, lowest] = [from + pitch, from + 2 * pitch];
  for (let j = 0; j < columns; j++) {
    const above = a * numbers[from + j] + b * numbers[from + j + 1] + c * numbers[from + j + 2];
    const beside = d * numbers[below + j] + e * numbers[below + j + 1] + f * numbers[below + j + 2];
    const under = g * numbers[lowest + j] + h * numbers[lowest + j + 1] + k * numbers[lowest + j + 2];
    numbers[to + j] += above + beside + under;
  }
}

// ---- small things ------------------------------------------------------------------------------------------------------------

// Where a pixel lies. Row and column may be −1: that is the rim.
function place(map, channel, row, column) {
  return map.first + channel * map.plane + (row + 1) * map.pitch + column + 1;
}

// Where the middle of a map begins, as large as another one; `unet_edu.unet.center_crop`.
function middle(map, inner) {
  return [(map.rows - inner.rows) >> 1, (map.columns - inner.columns) >> 1];
}

function upToFour(count) {
  return 4 * Math.ceil(count / 4);
}

function countOf(shape) {
  return shape.reduce((product, side) => product * side, 1);
}

function bytesFrom(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

// Numbers of 16 bits: a sign, five bits of exponent, ten of fraction. The least exponent is for the numbers around 0.
function fromHalf(bytes) {
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 2 }, (_, n) => {
    const half = view.getUint16(2 * n, true);
    const [sign, exponent, fraction] = [half >> 15 ? -1 : 1, (half >> 10) & 31, half & 1023];
    return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
  });
}
