// What somebody has set, as the end of an address, "#picture=coins&copies=kept,zeroed", so that one can send it. Only what differs
// from the beginning stands there; and what cannot be read there is left out, for anybody can write an address.
//
//   addressOf(state, first) → "#…"; stateFrom("#…", first, { pictures, networks }) → the changes to `first`

// Each kind of edit has so many whole numbers, from … to …: a cell without a size would make numbers that are none.
const [ANY, SIZE, ANGLE] = [[-1e6, 1e6], [1, 200], [-180, 180]];
const KINDS_OF_EDITS = {
  draw: [ANY, ANY, SIZE, SIZE, ANGLE, ANY], rub: [ANY, ANY, SIZE, SIZE, ANGLE], move: [ANY, ANY], turn: [],
  light: [[-40, 40]], noise: [[0, 30]],
};
const MAP = /^(contracting|pool|up|join|expanding)\.\d+(\.[02])?:\d+$/;
const MOST_EDITS = 200;
const PLACES = ["layer", "channel", "row", "column", "source", "tap"];

export function addressOf(state, first) {
  const texts = {
    ...state,
    edits: state.edits.map((edit) => edit.join()).join(";"),
    copies: state.copies.join(),
    muted: state.muted.join(),
    place: PLACES.map((part) => state.place[part]).filter((part) => part !== undefined).join(),
  };
  const isAsFirst = (name) => JSON.stringify(state[name]) === JSON.stringify(first[name]);
  const parts = Object.entries(texts).filter(([name, text]) => text && !isAsFirst(name));
  const written = (text) => encodeURIComponent(text).replace(/%2C|%3A|%3B/g, decodeURIComponent); // , : ; do no harm
  return parts.length ? `#${parts.map(([name, text]) => `${name}=${written(text)}`).join("&")}` : "";
}

export function stateFrom(address, first, { pictures, networks }) {
  const given = new URLSearchParams(address.slice(1));
  const list = (name, by) => (given.get(name) ?? "").split(by).filter(Boolean);
  const has = (things, name) => things.some((thing) => thing.name === name);
  const found = {};
  if (has(pictures, given.get("picture"))) found.picture = given.get("picture");
  if (has(networks, given.get("network"))) found.network = given.get("network");
  if (has(pictures, given.get("other"))) found.other = given.get("other");
  if (given.get("scale") === "stage") found.scale = "stage";
  if (given.get("card")) found.card = given.get("card");
  found.edits = list("edits", ";").map(editFrom).filter(Boolean).slice(0, MOST_EDITS);
  found.muted = [...new Set(list("muted", ",").filter((key) => MAP.test(key)))];
  const copies = list("copies", ",");
  if (given.has("copies")) found.copies = first.copies.map((kept, level) => (["zeroed", "other"].includes(copies[level]) ? copies[level] : kept));
  const [layer, ...numbers] = list("place", ",");
  if (layer) found.place = Object.fromEntries([["layer", layer], ...numbers.slice(0, 5).map((part, k) => [PLACES[k + 1], Number(part)])]);
  return found;
}

function editFrom(text) {
  const [kind, ...parts] = text.split(",");
  const numbers = parts.map(Number);
  const ranges = Object.hasOwn(KINDS_OF_EDITS, kind) && KINDS_OF_EDITS[kind];
  const isIn = (number, k) => Number.isInteger(number) && number >= ranges[k][0] && number <= ranges[k][1];
  return numbers.length === ranges.length && numbers.every(isIn) ? [kind, ...numbers] : null;
}
