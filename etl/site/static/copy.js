// A button with `data-copies` copies the text of the element of that id. Without scripts the button stays hidden.
for (const button of document.querySelectorAll("button[data-copies]")) {
  const copied = document.getElementById(button.dataset.copies);
  const status = button.nextElementSibling;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(copied.textContent);
      status.textContent = "Copied.";
    } catch {
      // Only secure addresses have a clipboard.
      getSelection().selectAllChildren(copied);
      status.textContent = document.execCommand("copy") ? "Copied." : "The text is selected: copy it.";
    }
  });
}
