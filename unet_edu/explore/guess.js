// A question to guess at: a field, a button, and what comes out beside what was said.
//
//   mount(root, asked)   puts the form into an element
//   verdict(asked, said) → what is said to a guess: right, near, wrong, unread (it cannot be read) or untold (nothing was said)
//
// asked: question, answer (as it is shown), why (as HTML), and one of
//   numbers: [122], near: 5                 one number or several
//   choices: [{ text: "a", html: "a" }, …]  one of them is the answer
//   neither                                 a word

import { add, quiet } from "./dom.js";

const NUMBER = /[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?/gi;

export function verdict(asked, said) {
  const text = said.trim();
  if (!text) return { kind: "untold", words: `The answer: ${asked.answer}.` };
  const how = asked.numbers ? compared(asked, read(text, asked.numbers.length)) : same(text, asked.answer) ? "right" : "wrong";
  const words = {
    right: `Yes: ${asked.answer}.`,
    near: `Close. Your guess: ${text}. The answer: ${asked.answer}.`,
    wrong: `Your guess: ${text}. The answer: ${asked.answer}.`,
    unread: `Please write ${asked.numbers?.length > 1 ? `${asked.numbers.length} numbers, with commas between them` : "a number"}.`,
  };
  return { kind: how, words: words[how] };
}

// The numbers of a text. Of one number a comma is part: 1,432 as in English, 0,5 as in most other languages.
export function read(text, count) {
  let plain = text.replace(/[−–]/g, "-").replace(/\s*%/g, "");
  if (count === 1) plain = /^[-+]?\d{1,3}(,\d{3})+$/.test(plain) ? plain.replaceAll(",", "") : plain.replace(",", ".");
  const fraction = count === 1 && plain.match(/^(\d+) *\/ *(\d+)$/);
  if (fraction) return [fraction[1] / fraction[2]];
  return (plain.match(NUMBER) ?? []).map(Number);
}

function compared({ numbers, near }, said) {
  if (said.length !== numbers.length) return "unread";
  // what was computed may end on other digits than what one writes
  const off = Math.max(...numbers.map((number, n) => Math.abs(number - said[n]) - 1e-9 * Math.abs(number)));
  return off <= 0 ? "right" : off <= near ? "near" : "wrong";
}

function same(text, answer) {
  const plain = (words) => words.trim().toLowerCase().replace(/\s+/g, " ");
  return plain(text) === plain(answer);
}

const SIGNS = { right: "✓ ", near: "≈ ", wrong: "", unread: "", untold: "" };

export function mount(root, asked) {
  const form = add(root, "form");
  const fields = asked.choices ? choices(form, asked) : field(form, asked);
  quiet(add(form, "button", { type: "submit" }, "See the answer"));
  const said = add(root, "div", { role: "status" });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { kind, words } = verdict(asked, fields());
    said.replaceChildren();
    said.className = `is-${kind}`;
    add(said, "strong", {}, SIGNS[kind] + words);
    if (kind !== "unread") add(said, "span").innerHTML = ` ${asked.why}`;
  });
}

function field(form, { question, numbers }) {
  const name = numbers ? (numbers.length > 1 ? `${numbers.length} numbers` : "a number") : "a word";
  const input = quiet(add(form, "input", { type: "text", placeholder: name, "aria-label": `Your guess: ${question}`, autocomplete: "off" }));
  return () => input.value;
}

function choices(form, { question, choices }) {
  const group = add(form, "fieldset");
  add(group, "legend", {}, `Your guess: ${question}`);
  const name = `guess-${Math.random()}`;
  const inputs = choices.map(({ text, html }) => {
    const label = add(group, "label");
    const input = quiet(add(label, "input", { type: "radio", name, value: text }));
    add(label, "span").innerHTML = ` ${html}`;
    return input;
  });
  return () => inputs.find((input) => input.checked)?.value ?? "";
}
