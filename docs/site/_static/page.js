// A block that scrolls sideways must be within reach of the keyboard: it gets the focus while it is wider than the page.

const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const block of document.querySelectorAll("pre, .table-wrapper, .math-wrapper")) observer.observe(block);

// Pictures out of sight wait until the page is there. Then they come, too: paper shows all of them.
addEventListener("load", () => document.querySelectorAll("img[loading=lazy]").forEach((image) => (image.loading = "eager")));
