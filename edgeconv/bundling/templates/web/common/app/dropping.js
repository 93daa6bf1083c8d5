/**
 * Takes files that are dropped on the page.
 *
 * @param {(files: FileList) => void} take
 * @param {() => void} complain called where something else is dropped
 */
export function listenForDrops(take, complain) {
  const { classList } = document.body;
  addEventListener("dragover", (event) => {
    event.preventDefault();
    classList.add("dragging");
  });
  addEventListener("dragleave", ({ relatedTarget }) => {
    if (!relatedTarget) classList.remove("dragging");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    classList.remove("dragging");
    const { files } = event.dataTransfer;
    if (files.length) take(files);
    else complain();
  });
}
