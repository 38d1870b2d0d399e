// Files, folders and zips that are dropped anywhere or chosen at the place for them. Files go to the studio's own address, one after the other, with
// their paths below the dropped folder; then the page is told that they are all there.
//
// Gradio runs this text, and not a module, as it puts the place on the page (js_on_load: element, trigger, props and watch
// are its words), so that no file is chosen before somebody listens. What comes before the studio's first answer waits for
// it: the answer holds the secret in the visitor's addresses.
const zone = element.querySelector(".st-drop");
const say = element.querySelector(".st-drop-say");
const token = new Promise((resolve) => {
  const look = () => {
    if (!props.value) return;
    zone.dataset.ready = "1";
    resolve(props.value);
  };
  watch("value", look);
  look();
});

const counted = (files) => `${files.length} file${files.length > 1 ? "s" : ""}`;

async function send(files) {
  if (!files.length) return;
  zone.classList.add("st-busy");
  if (!zone.dataset.ready) say.textContent = `The page is still loading. ${counted(files)} will be sent when it is ready.`;
  const own = await token;
  let first = true, done = 0;
  for (const { file, path } of files) {
    say.textContent = `Sending ${done + 1} of ${files.length}: ${path}`;
    const answer = await fetch(`studio/${own}/send${first ? "?first=1" : ""}`, {
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
  const sent = `${counted(files)} sent`;
  say.textContent = `${sent}. Reading them …`;
  document.addEventListener("st-understood", (event) => {
    say.textContent = event.detail ? "" : `${sent}.`; // a refusal stands for itself
  }, { once: true });
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

const hasFiles = (event) => [...event.dataTransfer.types].includes("Files");

// anywhere on the page: what is dropped beside the place would be opened by the browser instead of the page
document.addEventListener("dragover", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  zone.classList.add("st-over");
});
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) zone.classList.remove("st-over"); });
document.addEventListener("drop", async (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  zone.classList.remove("st-over");
  if (zone.classList.contains("st-busy")) return;
  zone.scrollIntoView({ behavior: "smooth", block: "nearest" });
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
