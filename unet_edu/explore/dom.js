// What all that is drawn in the page shares: making a node, and keeping JupyterLab's own keys off it.

const SVG = "http://www.w3.org/2000/svg";

export function add(parent, name, attributes = {}, text) {
  const isSvg = parent?.namespaceURI === SVG || name === "svg";
  const node = isSvg ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent?.append(node);
  return node;
}

export function button(parent, key, label, onClick) {
  const node = quiet(add(parent, "button", { type: "button", "data-key": key }, label));
  node.addEventListener("click", onClick);
  return node;
}

// Else a notebook takes arrows and letters for its own commands. Tab is left to the page, which goes on to the next control.
export function quiet(node) {
  node.setAttribute("data-lm-suppress-shortcuts", "true");
  node.addEventListener("keydown", (event) => event.key !== "Tab" && event.stopPropagation());
  return node;
}
