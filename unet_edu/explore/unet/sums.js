// What a map and a pixel are the sums of. Nothing is drawn here, so that a test can hold each sum against PyTorch.

// A map before its ReLU, as the sum of what the maps of the layer before add to it: the strongest, one after the other, each with
// the sum so far; then all others together; then the bias. Nothing is left out.
export function mapSum(net, name, channel, most) {
  const parts = net.parts(name, channel).sort((a, b) => b.strength - a.strength);
  const count = parts.length <= most + 1 ? parts.length : most; // a single one that is left is shown too
  const { rows, columns } = parts[0];
  const asMap = (values) => ({ rows, columns, values });
  let sum = new Float64Array(rows * columns);
  const plus = (part) => (sum = sum.map((value, k) => value + part.values[k]));
  const steps = parts.slice(0, count).map((part) => {
    const { channel, kernel } = part;
    return { channel, kernel: [...kernel], map: part, soFar: asMap(plus(part)) };
  });
  const shown = sum;
  const rest = parts.slice(count);
  rest.forEach(plus);
  const added = sum.map((value, k) => value - shown[k]);
  const others = rest.length > 0 && { count: rest.length, map: asMap(added), soFar: asMap(sum) };
  const bias = net.weights(name).bias[channel];
  return { steps, others, bias, total: asMap(sum.map((value) => value + bias)) };
}

// The same at one pixel, with the sources in a given order, so that nothing jumps when the pixel moves.
export function pixelSum(net, { layer, channel, row, column }, order) {
  const found = net.product(layer, channel, row, column);
  let sum = 0;
  const steps = order.map((wanted) => {
    const term = found.terms.find((term) => term.channel === wanted);
    return { ...term, products: term.window.map((value, tap) => value * term.kernel[tap]), soFar: (sum += term.product) };
  });
  const rest = found.terms.filter((term) => !order.includes(term.channel));
  const product = rest.reduce((sum, term) => sum + term.product, 0);
  return { ...found, steps, others: rest.length > 0 && { count: rest.length, product, soFar: sum + product } };
}

// The square of the layer before that a pixel is made of: its first row and column, and its side.
export function windowOf({ kind, rows, columns }, before, row, column) {
  if (kind === "pool") return { row: 2 * row, column: 2 * column, size: 2 };
  if (kind === "up") return { row: row >> 1, column: column >> 1, size: 1 };
  const size = kind === "conv" ? 3 : 1;
  const [top, left] = [before.rows - rows, before.columns - columns].map((lost) => lost >> 1); // what got smaller lost its rim
  return { row: row + top - (size >> 1), column: column + left - (size >> 1), size };
}

// Where a number was copied from that is no sum: the largest of four, or what was joined.
export function cameFrom({ kind, largest, terms: [{ from, channel, row, column }] }) {
  if (kind === "pool") [row, column] = [row + (largest >> 1), column + (largest % 2)];
  return { layer: from, channel, row, column };
}

// One level up: from a product to its pixel, from there to its map, and to the whole U.
export function placeAbove({ layer, channel, row, column, source }) {
  if (source !== undefined) return { layer, channel, row, column };
  return row !== undefined ? { layer, channel } : {};
}

// As much of a place as this network has: an address may name anything, and not every network has the same layers.
export function placeWithin({ layers }, { layer, channel, row, column, source, tap }) {
  const found = layers.find(({ name }) => name === layer);
  const isIn = (number, count) => Number.isInteger(number) && number >= 0 && number < count;
  if (!found || !isIn(channel, found.channels)) return {};
  if (!isIn(row, found.rows) || !isIn(column, found.columns)) return { layer, channel };
  const before = layers.find(({ name }) => name === found.from[0]);
  const taps = { conv: 9, up: 1, head: 1 }[found.kind] ?? 0;
  const isProduct = isIn(source, before?.channels) && isIn(tap, taps);
  return { layer, channel, row, column, ...(isProduct && { source, tap }) };
}

export function sizeOf(numbers) {
  return numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

export function largestOf(numbers) {
  return numbers.reduce((best, value, k) => (Math.abs(value) > Math.abs(numbers[best]) ? k : best), 0);
}

// How many products one pass through the whole network has.
export function countProducts(net) {
  const counts = net.layers.map(({ name, kind, rows, columns }) => {
    if (!["conv", "up", "head"].includes(kind)) return 0;
    const perPixel = net.weights(name).kernel.length / (kind === "up" ? 4 : 1); // a step up lays one of its four numbers there
    return rows * columns * perPixel;
  });
  return counts.reduce((a, b) => a + b);
}
