// Copying a text or the address of the page, for the scripts that this one is put before.

// Browsers give the clipboard to pages of https and of this computer only; elsewhere, a selected text is copied.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copySelected(text);
  }
}

// Whether no other computer has the address of this page.
function opensHereOnly() {
  return ["localhost", "127.0.0.1", "[::1]"].includes(window.location.hostname);
}

function copySelected(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.style.cssText = "position: fixed; opacity: 0;";
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  if (!isCopied) throw new Error("refused");
}
