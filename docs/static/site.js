// What scrolls sideways can be reached by the keyboard; the two side bars have names.
window.addEventListener("load", () => {
  for (const each of document.querySelectorAll("pre, .table-wrapper, .formula"))
    if (each.scrollWidth > each.clientWidth) each.tabIndex = 0;
  document.querySelector(".sidebar-drawer")?.setAttribute("aria-label", "All pages");
  document.querySelector(".toc-drawer")?.setAttribute("aria-label", "On this page");
});
