// A button that copies the address of the page, and says so for a moment.

const LINK = "M3.9 12c0-1.71 1.39-3.1 3.1-3.1h4V7H7c-2.76 0-5 2.24-5 5s2.24 5 5 5h4v-1.9H7c-1.71 0-3.1-1.39-3.1-3.1zM8 13h8v-2H8v2zm9-6h-4v1.9h4c1.71 0 3.1 1.39 3.1 3.1s-1.39 3.1-3.1 3.1h-4V17h4c2.76 0 5-2.24 5-5s-2.24-5-5-5z";
const SHOWN_MS = 4000;

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".copy-link");
  root.dataset.copied = opensHereOnly() ? data.here : data.copied;
  root.dataset.refused = data.refused;
  if (root.firstChild) return;
  const button = element("button");
  button.type = "button";
  button.title = data.label;
  button.setAttribute("aria-label", data.label);
  button.append(symbol(LINK));
  if (data.has_word) button.append(element("span", "word", data.label));
  root.classList.toggle("worded", data.has_word);
  const said = element("span", "said");
  said.setAttribute("role", "status");
  let timer;
  button.onclick = async () => {
    const focusVisible = button.matches(":focus-visible"); // copying may take the focus, and a tap is to leave no ring
    try {
      await copyText(window.location.href);
      said.textContent = root.dataset.copied;
    } catch {
      said.textContent = root.dataset.refused;
    }
    button.focus({ preventScroll: true, focusVisible });
    said.classList.add("shown");
    clearTimeout(timer);
    timer = setTimeout(() => {
      said.classList.remove("shown");
      said.textContent = "";
    }, SHOWN_MS);
  };
  root.append(button, said);
}
