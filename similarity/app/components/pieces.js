// A place to drop files or a folder, which are sent in pieces, with progress. Names are set as text, never as markup.

const TRIES = 6;

function listed(entry, path, found) {
  return new Promise((done) => {
    if (entry.isFile) {
      entry.file((file) => { found.push({ file, path: path + file.name }); done(); }, done);
      return;
    }
    const reader = entry.createReader();
    const inner = [];
    const read = () => reader.readEntries(async (entries) => {
      inner.push(...entries);
      if (entries.length) return read();
      for (const one of inner) await listed(one, `${path}${entry.name}/`, found);
      done();
    }, done);
    read();
  });
}

async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, path: file.name }));
  const found = [];
  for (const entry of entries) await listed(entry, "", found);
  return found;
}

const isHidden = (path) => path.split("/").some((part) => part.startsWith("."));
const kind = (path) => path.slice(path.lastIndexOf(".")).toLowerCase();
const size = (bytes) => bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
const pause = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

async function call(address, options) {
  const answer = await fetch(address, options);
  const told = await answer.json().catch(() => ({}));
  if (answer.ok || answer.status === 409) return told.size;
  const error = new Error(told.reason || "The upload was refused.");
  error.isFinal = answer.status < 500 && answer.status !== 408;
  error.isGone = answer.status === 404;
  throw error;
}

// Sends one file from where it stopped; a piece that fails is tried again, a little later each time.
async function send({ file, path }, data, signal, arrived) {
  const name = `${data.address}?path=${encodeURIComponent(path)}`;
  let at = 0;
  let tries = 0;
  do {
    try {
      at = await call(`${name}&at=${at}`, { method: "PUT", body: file.slice(at, at + data.piece), signal });
      tries = 0;
      arrived(at);
    } catch (error) {
      if (signal.aborted || error.isFinal || (tries += 1) >= TRIES) throw error;
      await pause(2 ** tries / 2);
      at = await call(name, { signal }).catch(() => at);
    }
  } while (at < file.size);
}

async function sendAll(files, data, signal, show) {
  const total = files.reduce((sum, { file }) => sum + file.size, 0);
  let before = 0;
  for (const [place, one] of files.entries()) {
    await send(one, data, signal, (at) => show(before + at, total, place, files.length));
    before += one.file.size;
  }
  await call(data.address, { method: "POST", signal });
  return total;
}

function choose(files, data) {
  const offered = files.filter(({ path }) => !isHidden(path));
  const usable = offered.filter(({ path, file }) => data.kinds.includes(kind(path)) && file.size);
  const lists = usable.filter(({ path }) => data.lists.includes(kind(path)));
  if (!usable.length) throw new Error("There is no picture, zip or CSV in it.");
  if (lists.length && usable.length > 1) throw new Error("Choose one zip or one CSV, or pictures without either.");
  return { usable, left: offered.length - usable.length };
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".pieces");
  const [bar, said, cancel] = ["progress", ".said", ".cancel"].map((name) => root.querySelector(name));
  const [file, folder] = ["files", "folder"].map((name) => root.querySelector(`input.${name}`));
  const say = (text, state) => { said.textContent = text; root.dataset.state = state; };
  if (root.address !== data.address) {
    root.stop?.abort();
    root.address = data.address;
    root.failed = "";
    const ended = root.dataset.state === "ended";
    say(data.said || (ended ? said.textContent : ""), data.said ? "done" : ended ? "failed" : "");
  }
  const begin = async (promise) => {
    root.stop?.abort();
    const stop = (root.stop = new AbortController());
    try {
      const { usable, left } = choose(await promise, data);
      const rest = left ? ` ${left === 1 ? "1 other file was" : `${left.toLocaleString("en")} other files were`} left out.` : "";
      bar.value = 0;
      say("Starting …", "busy");
      const signature = JSON.stringify(usable.map(({ path, file: { size, lastModified } }) => [path, size, lastModified]));
      const goesOn = root.failed === signature;
      root.failed = signature;
      if (!goesOn) await call(data.address, { method: "DELETE", signal: stop.signal });
      const total = await sendAll(usable, data, stop.signal, (at, all, place, count) => {
        bar.value = all ? at / all : 1;
        const which = count > 1 ? `file ${(place + 1).toLocaleString("en")} of ${count.toLocaleString("en")} · ` : "";
        said.textContent = `${which}${size(at)} of ${size(all)}`;
      });
      root.failed = "";
      const what = usable.length > 1 ? `${usable.length.toLocaleString("en")} pictures` : usable[0].file.name;
      say(`${what}, ${size(total)}, uploaded.${rest}`, "done");
      setTriggerValue("done", usable.length);
    } catch (error) {
      if (root.stop !== stop) return;
      if (error.isGone) {
        say(error.message, "ended");
        setTriggerValue("ended", true); // the page begins another one
      } else if (stop.signal.aborted) say("Cancelled. Choose the same files to go on.", "");
      else say(error.message === "Failed to fetch" ? "The connection was lost. Choose the files again to go on." : error.message, "failed");
    }
  };
  const picked = (input) => begin(Promise.resolve([...input.files].map((one) => ({ file: one, path: one.webkitRelativePath || one.name }))));
  file.onchange = () => { picked(file); file.value = ""; };
  folder.onchange = () => { picked(folder); folder.value = ""; };
  root.querySelector("button.files").onclick = () => file.click();
  root.querySelector("button.folder").onclick = () => folder.click();
  cancel.onclick = () => root.stop?.abort();
  root.ondragover = (event) => { event.preventDefault(); root.classList.add("over"); };
  root.ondragleave = () => root.classList.remove("over");
  root.ondrop = (event) => {
    event.preventDefault();
    event.stopPropagation();
    root.classList.remove("over");
    begin(dropped(event.dataTransfer));
  };
}
