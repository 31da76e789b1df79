"""The few rules of appearance that Streamlit's theme has no option for."""

import streamlit as st

CSS = """
<style>
[data-testid="stMainBlockContainer"] { padding-top: 4.5rem; padding-bottom: 3rem; max-width: 1500px; }
h1 { font-size: 2rem !important; padding: 0 !important; }
/* Pictures that are compared have one height, so that neither dwarfs the other. */
.st-key-compare [data-testid="stImage"] img { height: min(22rem, 42vh); object-fit: contain; border-radius: 0.5rem;
  background: color-mix(in srgb, currentColor 6%, transparent); }
.st-key-compare [data-testid="stHorizontalBlock"] { flex-wrap: nowrap; gap: 0.75rem; }
.st-key-compare [data-testid="stColumn"] { min-width: 0; }
@media (max-width: 640px) { .st-key-compare [data-testid="stImage"] img { height: 11rem; } }
[class*="st-key-part-"] img { aspect-ratio: 1; object-fit: cover; border-radius: 0.4rem; }
/* The verdict keeps its height when a turn comes beside it; objects have rows of ten results. */
.st-key-verdict { min-height: 2.5rem; }
[class*="st-key-object-"] { --in-row: 10; }
/* Chips are drawn by a script of their own: what follows them does not wait, and is not to move. */
[class*="st-key-objects-"] { min-height: 4.875rem; }
/* Menus are dense, so that all of the filters fit on a small screen; one that is longer than its place
   has a shade at its end until that is reached. */
[data-testid="stPopoverBody"] [data-testid="stVerticalBlock"] { gap: 0.7rem; }
@supports (animation-timeline: scroll()) {
  [data-testid="stPopoverBody"]::after { content: ""; position: sticky; bottom: -1.5rem; display: block; flex: none;
    height: 1.75rem; margin: -1.75rem -1.5rem 0; pointer-events: none; opacity: 0;
    background: linear-gradient(transparent, color-mix(in srgb, currentColor 14%, transparent));
    animation: more-below linear; animation-timeline: scroll(nearest); }
  @keyframes more-below { from, 90% { opacity: 1; } to { opacity: 0; } }
}
[class*="st-key-icon-"] button [data-testid="stMarkdownContainer"] {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
/* Streamlit's captions are too pale to be read by all: WCAG 2.2, 1.4.3. */
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p { color: inherit !important; }
[data-testid="stCaptionContainer"] { opacity: 0.78; }
[data-testid="stButtonGroup"] [data-selected="true"] * { color: light-dark(#0f766e, #4fd1c1) !important; }
/* The query stays in sight while its results scroll. */
@media (min-width: 641px) {
  [data-testid="stColumn"]:has(.st-key-query-rail) > * { position: sticky; top: 4rem; max-height: calc(100vh - 4.5rem);
    overflow-y: auto; scrollbar-width: thin; margin: 0 -4px; padding: 4px; }
}
/* Buttons that take something away for good are red. */
[class*="st-key-danger-"] button {
  background: #b3261e !important; border-color: #b3261e !important; color: #fff !important; }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding-left: 1rem; padding-right: 1rem; } }
</style>
"""


def apply() -> None:
    """Add the rules to the page."""
    st.html(CSS)
