// What scrolls sideways can be reached by the keyboard; the side bars have names; roles that do not belong together go.
window.addEventListener("load", () => {
  for (const each of document.querySelectorAll("pre, .table-wrapper, .formula"))
    if (each.scrollWidth > each.clientWidth) each.tabIndex = 0;
  for (const each of document.querySelectorAll(".citation-list, .citation")) each.removeAttribute("role");
  document.querySelector(".sidebar-drawer")?.setAttribute("aria-label", "All pages");
  document.querySelector(".toc-drawer")?.setAttribute("aria-label", "On this page");
});
