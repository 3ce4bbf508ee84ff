// Refuses too large files before they are sent. Gradio's own message disappears after ten seconds.
document.addEventListener(
  "change",
  (event) => {
    const file = event.target.type === "file" ? event.target.files[0] : null;
    if (!file || file.size <= props.limit) return;
    event.stopImmediatePropagation();
    event.target.value = "";
    const note = document.createElement("p");
    note.setAttribute("role", "alert");
    const megabytes = (size) => `${Number((size / 1e6).toPrecision(3))} MB`;
    note.textContent = `${file.name}: has ${megabytes(file.size)}; the largest file allowed here has ${megabytes(props.limit)}`;
    props.value = note.outerHTML;
  },
  true,
);
