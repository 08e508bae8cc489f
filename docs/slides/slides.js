// The talk: Reveal with the notes, and explorers that keep their keys.

const isIn = (what) => document.activeElement?.closest(what);

Reveal.initialize({
  width: 1280, height: 720, margin: 0, center: false, display: "flex", hash: true, slideNumber: "c/t", transition: "none", controls: false,
  keyboardCondition: () => !isIn("figure"),
  plugins: [RevealNotes],
});

// Escape leaves an explorer, before Reveal takes it for its overview.
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !isIn("figure")) return;
  document.activeElement.blur();
  event.stopPropagation();
}, true);
