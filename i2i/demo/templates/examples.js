element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) trigger("chosen", { index: Number(button.dataset.index) });
});
