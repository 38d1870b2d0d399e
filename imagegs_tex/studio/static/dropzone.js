// The place where files, folders and zips are dropped. Files go to the studio's own address, one after the other, with
// their paths below the dropped folder; then the page is told that they are all there.
export function dropzone(element, trigger, props, watch) {
  const zone = element.querySelector(".st-drop");
  const say = element.querySelector(".st-drop-say");
  const token = () => props.value;
  const ready = () => { if (token()) zone.dataset.ready = "1"; };
  watch("value", ready);
  ready();

  async function send(files) {
    if (!files.length) return;
    zone.classList.add("st-busy");
    let first = true, done = 0;
    for (const { file, path } of files) {
      say.textContent = `Sending ${done + 1} of ${files.length}: ${path}`;
      const answer = await fetch(`studio/${token()}/send${first ? "?first=1" : ""}`, {
        method: "POST",
        headers: { "x-file-name": encodeURIComponent(path), "content-type": "application/octet-stream" },
        body: file,
      }).catch(() => null);
      if (!answer || !answer.ok) {
        say.textContent = answer ? await answer.text() : "The connection broke; is the studio still running?";
        zone.classList.remove("st-busy");
        zone.classList.add("st-refused");
        return;
      }
      first = false;
      done += 1;
    }
    zone.classList.remove("st-busy", "st-refused");
    const sent = `${files.length} file${files.length > 1 ? "s" : ""} sent`;
    say.textContent = `${sent}. Reading them …`;
    document.addEventListener("st-understood", () => { say.textContent = `${sent}.`; }, { once: true });
    trigger("submit", { count: files.length });
  }

  async function below(entry, path, found) {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      if (!file.name.startsWith(".")) found.push({ file, path: path + file.name });
    } else if (entry.isDirectory) {
      const reader = entry.createReader();
      for (;;) {
        const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
        if (!part.length) break;
        for (const each of part) await below(each, `${path}${entry.name}/`, found);
      }
    }
  }

  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("st-over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("st-over"));
  zone.addEventListener("drop", async (event) => {
    event.preventDefault();
    zone.classList.remove("st-over");
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry());
    const found = [];
    if (entries.every(Boolean)) for (const entry of entries) await below(entry, "", found);
    else for (const file of event.dataTransfer.files) found.push({ file, path: file.name });
    send(found);
  });
  for (const input of element.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => {
      send([...input.files].filter((file) => !file.name.startsWith("."))
        .map((file) => ({ file, path: file.webkitRelativePath || file.name })));
      input.value = "";
    });
  }
}
