// What scenes are made of, as figures/scene.py and explore/cells.py make them: the same grids, places and texts, to the last digit.

const [SIGN, GAP, ABOVE] = [0.6, 0.55, 0.85]; // as in figures/scene.py
const [LETTER, WIDE_LETTER] = [0.21, 0.3];

// A number as it is written in a cell: three digits, a true minus sign, no −0. What lies in the middle goes to the even digit, as in
// Python; toPrecision would take the larger.
export function number(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (Number.isInteger(size) || size >= 999.5) {
    const below = Math.floor(size);
    const isUp = size - below > 0.5 || (size - below === 0.5 && below % 2 === 1);
    return sign.repeat(size > 0) + BigInt(below + isUp);
  }
  const isEvenTie = /^\d\.\d[02468]50*e/.test(size.toExponential(30));
  const [digits, exponent] = (isEvenTie ? `${size.toExponential(30).slice(0, 4)}e${size.toExponential(2).split("e")[1]}` : size.toExponential(2)).split("e");
  if (exponent >= -4) return sign + Number(`${digits}e${exponent}`);
  return `${sign}${Number(digits)}e−${exponent.slice(1).padStart(2, "0")}`;
}

export const factor = (value) => (value < 0 ? `(${number(value)})` : number(value));
export const total = (products) => products.map(([a, b]) => `${factor(a)}·${factor(b)}`).join(" + ") || "0";
export const count = (many, one, more) => `${many} ${many === 1 ? one : more}`;

export function cells(name, label, role, rows, columns, text, notes, more = {}) {
  return { name, label, role, rows, columns, text, notes, marks: text.map(() => ""), editable: false, at: [0, 0], ...more };
}

// Grids side by side, centred, with signs between them.
export function lineUp(...parts) {
  const [grids, signs] = [[], []];
  const height = Math.max(...parts.map((part) => part.rows ?? 0));
  let x = 0;
  for (const part of parts) {
    if (typeof part === "string") {
      signs.push([x + SIGN / 2, 0 + ABOVE + height / 2, part]);
      x += SIGN + GAP;
    } else {
      grids.push({ ...part, at: [x, 0 + ABOVE + (height - part.rows) / 2] });
      x += Math.max(part.columns, WIDE_LETTER * part.label.length - SIGN - GAP) + GAP; // a label may reach over a sign
    }
  }
  return { grids, signs };
}

// The whole scene, with what follows from its grids.
export function complete({ grids, walk, ...more }) {
  let first = 0;
  const counted = grids.map((grid) => ({ ...grid, first: (first += grid.text.length) - grid.text.length }));
  const size = [
    Math.max(...grids.map(({ at, columns, label }) => at[0] + Math.max(columns, LETTER * label.length))),
    Math.max(...grids.map(({ at, rows }) => at[1] + rows)),
  ];
  const bare = { caption: "", code: "", canPredict: false, signs: [], twins: [], arrows: [], points: [] };
  return { ...bare, ...more, grids: counted, size, walk: grids.findIndex((grid) => grid.name === walk) };
}
