// A notice that goes by itself, unless somebody is about to answer it. What it says is set as text, never as markup.

const SHOWN_MS = 10_000;
// After a notice is in the page, so that it is read aloud.
const SAID_MS = 100;

const ends = new Map(); // when each goes, by its name
let timer;

export default function ({ data, parentElement, setTriggerValue }) {
  const notice = parentElement.querySelector(".notice");
  const [said, button] = notice.children;
  const hideAt = (end) => {
    ends.set(data.name, end);
    clearTimeout(timer);
    notice.hidden = end <= Date.now();
    if (!notice.hidden) timer = setTimeout(() => (notice.hidden = true), end - Date.now());
  };
  hideAt(ends.get(data.name) ?? Date.now() + SHOWN_MS);
  setTimeout(() => (said.textContent = data.text), SAID_MS);
  button.textContent = data.action;
  button.onclick = () => {
    hideAt(0);
    setTriggerValue("press", true);
  };
  notice.onpointerenter = notice.onfocusin = () => clearTimeout(timer);
  notice.onpointerleave = notice.onfocusout = () => notice.hidden || hideAt(Date.now() + SHOWN_MS);
}
