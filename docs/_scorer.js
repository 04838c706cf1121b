// Sphinx's scores of search results, but that tasks come before, and history after what else has the same words.
var Scorer = {
  score: ([page, title, anchor, description, score]) =>
    score + (page === "guide" ? 3 : /^(decisions|changelog)/.test(page) ? -20 : /^coming-from/.test(page) ? -1 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
