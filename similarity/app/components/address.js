// Names the gallery in the page's address if no other is named there. It makes no entry in the history.

export default function ({ data }) {
  const address = new URL(location.href);
  if (!data.gallery || address.searchParams.has("gallery")) return;
  address.searchParams.set("gallery", data.gallery);
  history.replaceState(history.state, "", address);
}
