// What the search shows first: the lessons; last the reference, but for what is just so called. A word of words.toml is shown with the heading
// that has it. (The numbers are Sphinx's own, which are not taken where this is.)

var Scorer = {
  score: (result) => {
    const [page, title, anchor, , score, , kind] = result;
    const { alltitles, docnames } = Search._index;
    const isHere = ([, places]) => places.some(([number, id]) => docnames[number] === page && `#${id}` === anchor);
    const heading = kind === "index" && Object.entries(alltitles).find(isHere)?.[0];
    if (heading) result[1] = `${title} > ${heading}`;
    return score + (/^course\/\d/.test(page) ? 10 : page.startsWith("api/") && score < 16 ? -10 : 0);
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
