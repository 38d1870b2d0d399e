// What a field of the table of maps is set to goes to the studio, which answers with the whole table.
//
// Gradio runs this text as it puts the table on the page (js_on_load: element, trigger and watch are its words). The answer
// replaces every field; the one that had the focus gets it back, or who uses the keyboard would begin at the top again.
let focused = "";

element.addEventListener("change", ({ target }) => {
  const row = target.closest("[data-row]");
  if (!row || !target.dataset.field) return;
  const value = target.type === "checkbox" ? (target.checked ? "yes" : "no") : target.value;
  focused = target.id;
  trigger("input", { row: Number(row.dataset.row), file: row.dataset.file, field: target.dataset.field, value });
});
watch("value", () => {
  const field = focused && document.activeElement === document.body && element.querySelector(`#${focused}`);
  if (field) field.focus({ preventScroll: true });
});
