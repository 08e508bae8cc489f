// Ask first: questions to guess before one looks. An answer sets everything up so that one sees what is true, and then says why.
// What the cards claim holds for the network `cells` and is computed anew by tests/explorers/test_unet_cards.py.
//
//   mountCards(root, it) → { update() }; explainer.js says what `it` is

import { add } from "../dom.js";
import { levelsButton } from "./tiles.js";

// In the order of the course. `look` is what is set once somebody has answered, beside the picture phase-0 and the whole network.
export const CARDS = [
  {
    name: "draw",
    question: "You draw a cell where none was. Does the network find it?",
    answers: ["yes: it counts one more", "no: it knows only the pictures of its training", "only in the middle of the picture"],
    right: 0,
    look: { edits: [["draw", 94, 76, 11, 110, 30, 5]], place: {} },
    see: "One was drawn on the right. Draw more, or drag it: on free ground each is found. Where cells touch, two may become one.",
    why: "The network keeps no list of cells. It does the same sums at each place, and what looks like the cells of its training looks so everywhere.",
  },
  {
    name: "edges",
    question: "Which map of the first convolution answers where the picture gets darker from left to right?",
    answers: ["map 0", "map 3", "map 9"],
    right: 0,
    look: { place: { layer: "contracting.0.0", channel: 0 } },
    see: "Look at the kernel of map 0: purple, above zero, on the left; orange, below zero, on the right.",
    why: "It adds what lies on the left of a pixel and takes away what lies on the right. Where both are alike little is left, and ReLU makes it 0. Nobody wrote this kernel: training found it.",
  },
  {
    name: "border",
    question: "In map 0 of the first convolution the right edge is bright all the way down. What lies there?",
    answers: ["a long cell", "zeros outside of the picture", "the bias"],
    right: 1,
    look: { place: { layer: "contracting.0.0", channel: 0, row: 64, column: 127 } },
    see: "Look at the window of this pixel: its right column is 0.",
    why: "The window hangs over the edge, and padding fills it with zeros. Zero is black, so here each row seems to get darker to the right. The network sees an edge that is none. Lesson 08 says what one can do about it.",
  },
  {
    name: "reach",
    question: "How large a part of the picture can one number at the bottom see?",
    answers: ["3×3 pixels", "12×12 pixels", "32×32 pixels", "all of it"],
    right: 2,
    look: { place: { layer: "contracting.2.2", channel: 0, row: 16, column: 16 } },
    see: "Click on a map before this one, and again, until you are at the picture.",
    why: "Two 3×3 convolutions see 5×5 pixels. A pooling makes it 6, and from then on each step counts twice: 14. The next pooling makes it 16, and now each step counts four times: 32. That is what the way down is for.",
  },
  {
    name: "rims",
    question: "What happens to the rims without the copy of level 0?",
    answers: ["nothing: rims come from below", "they are no longer exact", "whole cells are lost"],
    right: 1,
    look: { copies: ["zeroed", "kept"], place: {} },
    see: "Compare the answer with the one before: the cells are still there, a little too thin.",
    why: "What is a cell comes up from below, where one number stands for 2×2 pixels. Where exactly it ends, only the copy of level 0 knows. Nearly all pixels that are now wrong lie at most two pixels from a rim.",
  },
  {
    name: "another",
    question: "Both copies come from another picture. Whose cells will the answer show?",
    answers: ["mostly those of this picture", "mostly those of the other picture", "none"],
    right: 1,
    look: { picture: "fluorescence-1", other: "fluorescence-0", copies: ["other", "other"], place: {} },
    see: "The answer has more of the other picture than of the one that goes in.",
    why: "Only the bottom still knows this picture, and there one number stands for 4×4 pixels. Now take only the copy of level 0 from the other picture: the cells are those of this picture again. The higher the copy, the finer is what it adds.",
  },
  {
    name: "untrained",
    question: "What does the same network say before its first step of training?",
    answers: ["“no cell” everywhere", "nothing that has to do with cells", "cells, but badly"],
    right: 1,
    look: { network: "cells_0", place: {} },
    see: "Then choose the network after 10 steps, which says as little, and after 100.",
    why: "The layers are the same, and its weights are random. Edges show in its maps all the same, for random kernels answer to them too. What is a cell, only training says.",
  },
  {
    name: "without",
    question: "Another network was trained without copies from the beginning. How good is its mask?",
    answers: ["as bad as with both copies switched off", "nearly as good as with copies", "better"],
    right: 1,
    look: { network: "cells_none", place: {} },
    see: "Compare it with the network of the course: once whole, once with both copies switched off.",
    why: "To switch something off shows what this network relies on. It does not show what one cannot do without: a network that never had copies learns other ways. It finds the cells too; only its rims are less exact. Lesson 09 measures it.",
  },
];

const SIDE = 128; // pixels: in a picture of another size other cells are drawn
const START = { picture: "phase-0", edits: [], muted: [], network: "cells" };

export function mountCards(root, it) {
  const cards = CARDS.filter(({ look }) => isThere({ ...START, ...look }));
  let at = 0; // the card that the strip shows
  let answer = null; // what the reader has said
  let before = null; // what was set before the answer changed it
  root.hidden = cards.length === 0;
  if (root.hidden) return { update() {} };
  const bar = add(root, "div", { class: "ask" });
  add(bar, "b", {}, "Ask first");
  const question = levelsButton(bar, "", () => open(body.hidden ? cards[at].name : null));
  question.classList.add("question");
  const count = add(bar, "span", { class: "count" });
  for (const [sign, words, step] of [["‹", "the question before", -1], ["›", "the next question", 1]])
    levelsButton(bar, sign, () => turn(step)).setAttribute("aria-label", words);
  const body = add(root, "div", { class: "body" });

  // Only what is about this network and these pictures: a reader's own are others.
  function isThere({ network, picture, other = picture }) {
    const names = it.pictures.filter(({ rows, columns }) => rows === SIDE && columns === SIDE).map(({ name }) => name);
    return it.networks.includes(network) && names.includes(picture) && names.includes(other);
  }

  function update() {
    const asked = cards.findIndex(({ name }) => name === it.state.card);
    if (asked >= 0 && asked !== at) [at, answer] = [asked, null];
    question.textContent = cards[at].question;
    question.setAttribute("aria-expanded", asked >= 0);
    count.textContent = `${at + 1} of ${cards.length}`;
    body.hidden = asked < 0;
    const key = [asked, answer].join();
    if (body.dataset.key === key) return;
    const hadFocus = body.contains(document.activeElement);
    draw(cards[at]);
    if (hadFocus) (body.querySelector("[aria-pressed=true]") ?? body.querySelector("button")).focus({ preventScroll: true });
    body.dataset.key = key;
  }

  function draw({ answers, right, see, why }) {
    body.replaceChildren();
    const choices = add(body, "div", { class: "choices", role: "group", "aria-label": cards[at].question });
    answers.forEach((words, k) => {
      const choice = levelsButton(choices, words, () => choose(k));
      choice.setAttribute("aria-pressed", k === answer);
      if (answer !== null && k === right) choice.classList.add("right");
    });
    if (answer === null) return;
    levelsButton(choices, "put everything back", putBack).classList.add("back");
    const said = add(body, "div", { class: "because", role: "status" });
    const seen = add(said, "p");
    add(seen, "b", {}, answer === right ? "Yes. " : `Not quite: ${answers[right]}. `);
    seen.append(see);
    add(said, "p", {}, why);
  }

  function open(name) {
    answer = null;
    it.set({ card: name });
  }

  function turn(step) {
    at = (at + step + cards.length) % cards.length;
    answer = null;
    if (body.hidden) update();
    else open(cards[at].name);
  }

  function choose(k) {
    const { look } = cards[at];
    const { picture, edits, muted, network, copies, other, place } = it.state;
    if (answer === null) before = { picture, edits, muted, network, copies, other, place };
    answer = k;
    it.set({ ...START, copies: copies.map(() => "kept"), ...look }, cards[at].see);
  }

  function putBack() {
    answer = null;
    it.set(before, "As it was before the question");
  }

  update();
  return { update };
}
