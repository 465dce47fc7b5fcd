// CodeMirror 5.57 hides the labelled field and puts one without a name in its place.
window.addEventListener("load", () => {
  for (const field of document.querySelectorAll(".CodeMirror textarea")) field.setAttribute("aria-label", "SQL");
});
