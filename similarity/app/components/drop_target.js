// The page as a place to drop, paste, choose or photograph pictures. Files go into Streamlit's own uploaders, which send
// them the usual way; only texts are told of as they are.

const TEXT_FIELD = 'input:not([type="file"]), textarea, [contenteditable="true"]';
const OWN_FIELD = "stChatInputTextArea";
const ADDRESS = /^(https?:)?\/\/\S+$/i;
const DATA = /^data:image\//i;

let listening; // one of them listens, even while an older one is on its way out

const uploader = (adding) =>
  document.querySelector(`.st-key-${adding ? "query-more" : "page-upload"} [data-testid="stFileUploader"] input`);
const isAdding = (node) => Boolean(node?.closest?.(".st-key-query-more"));
const isHidden = (name) => name.startsWith(".") || name === "Thumbs.db";

// Those that fit; what does not is told of, since Streamlit would say so in a list that is gone a moment later.
function chosen(files, most, { largest, bytes }) {
  const small = files.filter((file) => file.size <= largest);
  let size = 0;
  const taken = small.slice(0, most).filter((file) => (size += file.size) <= bytes);
  return { taken, tooLarge: files.length - small.length, tooMany: small.length - taken.length };
}

// Streamlit's uploader comes a little after the page on a slow line: what is dropped by then is not lost.
async function uploaderThatComes(adding) {
  for (let tries = 0; tries < 100 && !uploader(adding); tries += 1) await new Promise((go) => setTimeout(go, 100));
  return uploader(adding);
}

// A photograph takes seconds on a slow line. The field is another one once the page is drawn with its files, which is a
// while after they have arrived.
function sayUntilSent(input, count, status, text) {
  status.textContent = text;
  let left = count;
  const end = () => {
    clearInterval(looking);
    arriving.disconnect();
    status.textContent = "";
  };
  const arriving = new PerformanceObserver((list) => {
    left -= list.getEntries().filter(({ name }) => name.includes("/upload_file/")).length;
    if (left <= 0) end();
  });
  arriving.observe({ type: "resource" });
  const looking = setInterval(() => {
    const isSending = input.isConnected && !input.closest('[data-testid="stFileUploader"]').querySelector('[role="alert"]');
    if (!isSending) end();
  }, 200);
}

async function give(files, adding, { data, setTriggerValue }, status) {
  const { taken, tooLarge, tooMany } = chosen(files, adding ? 1 : data.most, data);
  if (tooLarge || tooMany || !files.length) setTriggerValue("left_out", { taken: taken.length, large: tooLarge });
  if (!taken.length) return;
  status.textContent = data.words.taken;
  const input = await uploaderThatComes(adding);
  status.textContent = "";
  if (!input) return;
  sayUntilSent(input, taken.length, status, data.words.taken);
  const transfer = new DataTransfer();
  taken.forEach((file) => transfer.items.add(file));
  input.files = transfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

// Files of a folder, one more than are taken at most, so that it can be said that there are more.
async function collect(entry, found, most) {
  if (found.length > most || isHidden(entry.name)) return;
  if (entry.isFile) {
    const file = await new Promise((take, fail) => entry.file(take, fail));
    if (!file.type || file.type.startsWith("image/")) found.push(file);
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const entries = await new Promise((take, fail) => reader.readEntries(take, fail));
    if (!entries.length) return;
    for (const inner of entries) await collect(inner, found, most);
  }
}

async function dropped(transfer, most) {
  const files = [...transfer.files];
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return files;
  const found = [];
  for (const entry of entries) await collect(entry, found, most);
  return found;
}

async function takeText(text, adding, component, status) {
  const { data, setTriggerValue } = component;
  if (DATA.test(text)) {
    const blob = await fetch(text).then((answer) => answer.blob(), () => null);
    if (blob) return give([new File([blob], data.words.pasted, { type: blob.type })], adding, component, status);
  }
  setTriggerValue("text", { text: text.slice(0, data.longest + 1), adding });
}

function onPaste(event, component, status) {
  const target = event.composedPath()[0];
  const field = target.closest?.(TEXT_FIELD);
  const isOwn = field?.dataset.testid === OWN_FIELD;
  if ((field && !isOwn) || document.querySelector('[role="dialog"]')) return;
  const files = [...event.clipboardData.files];
  const text = event.clipboardData.getData("text/plain").trim();
  // Words are pasted into a field as anywhere; a picture or an address needs no Enter.
  const isComplete = !isOwn || (!field.value && (ADDRESS.test(text) || DATA.test(text)));
  if (!files.length && !(text && isComplete)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (files.length) give(files, isAdding(target), component, status);
  else takeText(text, isAdding(target), component, status);
}

function listenForDrops(component, overlay, status, options) {
  let isOurs = false; // a picture of the page itself, which is on its way nowhere
  const carries = ({ dataTransfer }) =>
    !isOurs && dataTransfer && ["Files", "text/uri-list"].some((kind) => dataTransfer.types.includes(kind));
  const on = (name, handle) => document.addEventListener(name, handle, options);
  on("dragstart", () => (isOurs = true));
  on("dragend", () => (isOurs = false));
  on("dragenter", (event) => carries(event) && (overlay.hidden = false));
  on("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    overlay.hidden = isAdding(event.target); // which says itself what becomes of a picture there
  });
  on("dragleave", (event) => event.relatedTarget || (overlay.hidden = true));
  on("drop", async (event) => {
    overlay.hidden = true;
    if (!carries(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const address = event.dataTransfer.getData("text/uri-list").split("\n").find((line) => line && line[0] !== "#");
    const adding = isAdding(event.target);
    const files = await dropped(event.dataTransfer, component.data.most);
    if (address && !files.length) takeText(address.trim(), adding, component, status);
    else give(files, adding, component, status);
  });
}

export default function (component) {
  const { data, parentElement } = component;
  const find = (selector) => parentElement.querySelector(selector);
  const status = find(".status");
  find(".drop").classList.toggle("large", data.large);
  find(".paste").textContent = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘V" : "Ctrl+V";
  for (const [button, input] of [[".target", find(".chooser")], [".photograph", find(".camera")]]) {
    find(button).onclick = () => input.click();
    input.onchange = () => {
      give([...input.files], false, component, status);
      input.value = "";
    };
  }
  listening?.abort();
  const mine = new AbortController();
  listening = mine;
  const options = { capture: true, signal: mine.signal };
  document.addEventListener("paste", (event) => onPaste(event, component, status), options);
  listenForDrops(component, find(".overlay"), status, options);
  return () => mine.abort();
}
