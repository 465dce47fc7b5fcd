// A button with `data-copies-from` copies the text at that address. Without scripts the button stays hidden.
const LONGEST = 2_000_000;

async function copy(button, status) {
  const answer = await fetch(button.dataset.copiesFrom);
  const text = await answer.text();
  if (!answer.ok || text.length > LONGEST) {
    status.textContent = answer.ok ? "Too long to copy: save the file." : "Not copied: open the file.";
    return;
  }
  try {
    await navigator.clipboard.writeText(text);
    status.textContent = "Copied.";
  } catch {
    // Only secure addresses have a clipboard.
    const shown = document.createElement("pre");
    shown.className = "pl-bibtex";
    shown.textContent = text;
    button.closest("p").after(shown);
    getSelection().selectAllChildren(shown);
    status.textContent = document.execCommand("copy") ? "Copied." : "The text is selected: copy it.";
  }
}

for (const button of document.querySelectorAll("button[data-copies-from]")) {
  const status = button.nextElementSibling;
  button.hidden = false;
  button.addEventListener("click", () => {
    status.textContent = "Copying…";
    copy(button, status).catch(() => (status.textContent = "Not copied: open the file."));
  });
}
