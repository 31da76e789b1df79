"""The few rules of appearance that Streamlit's theme has no option for; `first_paint.py` sends them."""

CSS = """
<style>
[data-testid="stMainBlockContainer"] { padding-top: 4.5rem; padding-bottom: 3rem; max-width: 1500px; }
/* Menus and dialogs lie beside the app, which alone says by itself whether it is dark. */
:root { color-scheme: light dark; }
/* What lies over a page, from the lowest: strips 90, the job strip 999970, the bottom bar 999980, the bar of selected
   pictures 999985, a notice 999986; then Streamlit's header 999990, dialogs 1000059, menus 1000060, toasts 1000062. */
/* One veil under all that lies over the page, as under the palette. */
.stDialog { background: rgb(0 0 0 / 45%) !important; }
.st-key-palette, .st-key-focus, .st-key-address, .st-key-notice, .st-key-scroll, .st-key-lightbox-closing {
  position: absolute; }
:root:has([class*="st-key-selection-bar"]) { --selection-bar: 4.5rem; }
/* These draw nothing in the page: while their scripts come, no grey box stands for them, which would widen it. */
:is(.st-key-palette, .st-key-focus, .st-key-address, .st-key-notice, .st-key-scroll, .st-key-lightbox-closing,
  .st-key-menu, .st-key-page-upload) [data-testid="stSkeleton"] { display: none; }
:is([data-testid="stMain"], .st-key-query-rail):focus { outline: none; }
/* Where no page of the bar is the one that is open, it is one of the lab's. */
[data-testid="stTopNav"]:not(:has([aria-current="page"])) [data-testid="stTopNavSection"] {
  font-weight: 600; background: rgb(166 181 181 / 25%); }
h1 { font-size: 2rem !important; padding: 0 !important; }
/* The lightbox: its heading is the picture's name, in the dialog itself. Pictures have one place, whatever draws them,
   with a button at each side, so that nothing moves from one to the next; see lightbox.css and heat.css. */
[role="dialog"]:has(.st-key-lightbox) > h2 { position: absolute; width: 1px; height: 1px; padding: 0; overflow: hidden;
  clip-path: inset(50%); }
[role="dialog"]:has(.st-key-lightbox) > h2 + div { padding-top: 0; }
.stDialog > div:has(.st-key-lightbox) { width: min(96vw, 96rem); max-width: none; margin: 3rem 0; overflow: clip; }
.stDialog:has(.st-key-lightbox) { padding-top: 0; padding-bottom: 0; }
/* Its name, the views, the link and the button that closes it stay in sight while the rest scrolls. */
[data-testid="stLayoutWrapper"]:has(> .st-key-heading) { position: sticky; z-index: 6; top: 0; margin: 0 -0.5rem;
  width: calc(100% + 1rem) !important; max-width: none; padding: 0.75rem 0.5rem;
  background: light-dark(#ffffff, #111715); }
[role="dialog"]:has(.st-key-lightbox) > button { position: sticky; z-index: 7; inset: 0.75rem auto auto;
  align-self: flex-end; justify-content: center; width: 2.5rem; height: 2.5rem; margin: 0.75rem 1rem -3.25rem 0; }
.st-key-copy-link-to-it { min-width: 2.7rem; min-height: 2.5rem; }
.st-key-heading { min-height: 2.5rem; padding-right: 3rem; flex-wrap: nowrap !important; }
.st-key-heading > :first-child { flex: 1 1 0 !important; min-width: 0 !important; }
.st-key-heading h3 { padding: 0 !important; margin: 0; font-size: 1.1rem; overflow-wrap: anywhere; }
.st-key-heading [data-testid="stMarkdownContainer"] { margin: 0; }
.st-key-actions, .st-key-thumbs { gap: 0.5rem !important; }
.st-key-stage { position: relative; gap: 0 !important; --stage-high: min(56vh, 30vw, 31rem); --beside: 3.75rem; }
.st-key-stage [data-testid="stElementContainer"], .st-key-stage [data-testid="stLayoutWrapper"] { position: static; }
.st-key-stage [data-testid="stCaptionContainer"] { margin: 0 var(--beside); }
/* As high with the words of *Why* as without, so that nothing moves from one view to the next. */
@media (min-width: 641px) {
  .st-key-lightbox:has(.st-key-compare-view) .st-key-stage { min-height: calc(var(--stage-high) + 8.6rem); } }
.st-key-place pre, .st-key-place code { font-size: 0.75rem; }
.st-key-place code * { color: inherit !important; }
.st-key-place code .path-separator::after { content: "\\200b"; }
@media (max-width: 1000px) {
  .st-key-stage { --stage-high: min(56vh, 42vw); }
  .st-key-lightbox > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
  .st-key-lightbox > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] {
    min-width: 100%; }
}
@media (max-width: 640px) {
  .stDialog:has(.st-key-lightbox) { padding: 0; }
  .stDialog > div:has(.st-key-lightbox) { width: 100vw; max-width: 100vw; min-height: 100dvh; margin: 0;
    border-radius: 0; }
  [role="dialog"]:has(.st-key-lightbox) > h2 + div { padding: 0 1rem 6rem; }
  [role="dialog"]:has(.st-key-lightbox) > button { margin-right: 0.5rem; }
  .st-key-heading { gap: 0.5rem; padding-right: 2.25rem; }
  .st-key-heading h3 { display: -webkit-box; overflow: hidden; -webkit-box-orient: vertical; -webkit-line-clamp: 2;
    font-size: 1rem !important; line-height: 1.2; }
  .st-key-stage { --stage-high: 31dvh; --stage-alone: 64dvh; --beside: 0; }
}
/* Numbers and choices are never cut short: fewer stand side by side where there is less room. */
[class*="st-key-metrics"] [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
[class*="st-key-metrics"] [data-testid="stColumn"] { flex: 1 1 9rem !important; min-width: 9rem !important; }
@media (max-width: 1100px) { [class*="st-key-metrics"] [data-testid="stColumn"] { flex-basis: 40% !important; } }
[data-testid="stButtonGroup"] > * { flex-wrap: wrap; }
[data-variant="segmented_control"]:not([data-selected="true"]) {
  border-left-color: light-dark(#dfe5e2, #2c3833) !important; }
[data-variant="segmented_control"][data-selected="true"] { position: relative; z-index: 1; }
[class*="st-key-part-"] img { aspect-ratio: 1; object-fit: cover; border-radius: 0.4rem; }
/* The verdict keeps its height when a turn comes beside it. */
.st-key-toolbar { min-height: 2.5rem; }
.st-key-copy-link { min-width: 2.7rem; min-height: 2.5rem; }
.st-key-tile-size { min-width: 8.5rem; min-height: 2.5rem; }
@media (min-width: 1400px) { .st-key-copy-link { min-width: 6.6rem; } }
:root { --crop-high: 22rem; }
.st-key-toolbar > :last-child > div { gap: 0.6rem; }
@media (min-width: 1200px) {
  .st-key-toolbar { flex-wrap: nowrap; }
  .st-key-toolbar > :first-child { flex: 0 1 auto !important; min-width: 0; }
  .st-key-toolbar > :last-child, .st-key-toolbar > :last-child > div { flex: none; flex-wrap: nowrap; }
}
@media (max-width: 1199px) {
  /* Above the results: how many there are and how large, then what changes them, in one row each. */
  .st-key-toolbar:has(.st-key-sort) { position: relative; gap: 0.5rem !important;
    --size-position: absolute; }
  .st-key-toolbar:has(.st-key-sort) > :first-child { max-width: calc(100% - 8.5rem); min-height: 2.25rem; }
  .st-key-toolbar:has(.st-key-sort) > :first-child p { font-size: 0.9rem !important; }
  .st-key-toolbar:has(.st-key-sort) > :last-child, .st-key-toolbar:has(.st-key-sort) > :last-child > div {
    width: 100% !important; flex-wrap: nowrap; gap: 0.4rem !important; }
  .st-key-toolbar .st-key-sort { flex: 1 1 0; width: auto !important; min-width: 0; max-width: 14rem; }
  .st-key-toolbar .st-key-sort input { padding-right: 0; text-overflow: ellipsis; }
  .st-key-toolbar .st-key-tile-size { position: static; width: auto !important; min-width: 0; }
}
@media (max-width: 1000px) {
  /* Each tool is its symbol with its word below, so that all of them fit in one row. */
  .st-key-toolbar:has(.st-key-sort) [data-testid="stPopoverButton"] { min-width: 3rem; height: 3rem;
    padding: 0 0.3rem; }
  .st-key-toolbar:has(.st-key-sort) [data-testid="stPopoverButton"] :is(div, span) { gap: 0; margin: 0; }
  .st-key-toolbar:has(.st-key-sort) [data-testid="stPopoverButton"] span:has(> span + span) {
    flex-direction: column; }
  .st-key-toolbar:has(.st-key-sort) [data-testid="stPopoverButton"] :is(p, [data-testid="stMarkdownContainer"]) {
    font-size: 0.75rem !important; line-height: 1.2; }
  .st-key-toolbar:has(.st-key-sort) [data-testid="stPopoverButton"] [data-testid="stIconMaterial"] {
    width: 1.25rem; height: 1.25rem; font-size: 1.25rem; }
  .st-key-toolbar:has(.st-key-sort) [data-testid="stPopoverButton"] [aria-hidden="true"]:not([data-testid]) {
    display: none; }
  .st-key-toolbar .st-key-sort [role="group"] { height: 3rem; }
  .st-key-toolbar .st-key-sort input { font-size: 0.8rem; padding-left: 0.5rem; }
  .st-key-toolbar .st-key-sort button { flex: none; width: 1.5rem; padding: 0; }
  .st-key-copy-link, .st-key-tile-size { min-height: 3rem; min-width: 3.4rem; }
}
/* The menu of filters stays under the pointer while one chooses in it: a longer heading wraps in its own place, and
   what is chosen is listed below. */
.st-key-toolbar > [data-testid="stElementContainer"]:has(> [data-testid="stMarkdown"]) { flex: 1 1 9rem;
  width: auto !important; }
.st-key-toolbar [data-testid="stMarkdown"] p { line-height: 1.25; text-wrap: balance; }
@media (min-width: 1200px) { .st-key-toolbar .stPopover:first-child button { min-width: 7.25rem; } }
@media (min-width: 641px) {
  .st-key-query-strip:has(~ [data-testid="stLayoutWrapper"] > .st-key-toolbar),
  [data-testid="stLayoutWrapper"]:has(> .st-key-toolbar) ~ * { order: 1; } }
/* The verdict and the filters share a line that is there from the beginning: no result moves when either comes. */
[data-testid="stLayoutWrapper"]:has(> .st-key-verdict-row) { margin: -0.5rem 0; }
.st-key-verdict-row { flex-wrap: nowrap; min-height: 2.5rem; --strip-wrap: nowrap; --strip-below: 3px; }
.st-key-verdict-row > :not(.st-key-query-strip) { flex: 1 1 0 !important; min-width: 0; }
.st-key-verdict-row > .st-key-query-strip { flex: 0 1 auto; width: auto !important; max-width: 50%;
  margin: 0 0 0 auto; }
.st-key-verdict { min-height: 2.5rem; }
.st-key-toolbar:has(> .st-key-query-strip) { --strip-wrap: nowrap; --strip-below: 3px; }
.st-key-toolbar > .st-key-query-strip { flex: 1 1 0 !important; width: auto !important; min-width: 0; margin: 0; }
@media (max-width: 640px) {
  /* The strip is a line of its own, and first. */
  [data-testid="stLayoutWrapper"]:has(> .st-key-verdict-row), .st-key-verdict-row { display: contents; }
  [data-testid="stColumn"] .st-key-verdict-row > .st-key-query-strip { order: -1; width: 100vw !important;
    max-width: none; margin: 0 -1rem -0.5rem; }
  .st-key-toolbar > .st-key-query-strip { position: static; flex-basis: 10rem !important; }
  [data-testid="stLayoutWrapper"]:has(> .st-key-verdict) { margin: -0.5rem 0; }
  .st-key-verdict { min-height: 3.25rem; }
  .st-key-verdict p { font-size: 0.875rem !important; line-height: 1.35 !important; }
}
.st-key-verdict [data-testid="stAlertContainer"] { min-height: 2.5rem; padding: 0.4rem 0.75rem; align-items: center; }
/* Chips are drawn by a script of their own: what follows them does not wait, and is not to move. */
[class*="st-key-objects-"] { min-height: 4.875rem; }
/* Boxes in the place of results: after a moment, and not where there are results of before. */
[data-testid="stLayoutWrapper"]:has(> .st-key-skeleton) { position: relative; height: 0; margin-bottom: -1rem; }
/* What stands above the results has no place before there is something in it. */
.st-key-skeleton { position: absolute; inset: 3.5rem 0 auto; }
:root:has(.st-key-results) .st-key-skeleton { display: none; }
.skeleton { display: flex; flex-wrap: wrap; gap: 0.6rem; animation: appear 0.4s 0.35s both; }
.skeleton i { height: 10.5rem; border-radius: 0.5rem; background: color-mix(in srgb, currentColor 12%, transparent); }
@keyframes appear { from { opacity: 0; visibility: hidden; } }
@media (prefers-reduced-motion: reduce) { .skeleton { animation: none; } }
/* Menus are dense, so that all of the filters fit on a small screen; one that is longer than its place
   has a shade at its end until that is reached. */
[data-testid="stPopoverBody"] { overflow-x: hidden; }
.sheet-head { display: none; position: sticky; z-index: 2; top: 0; align-items: center; justify-content: space-between;
  margin: 0 -0.5rem 0.5rem 0; padding: 0.5rem 0; background: inherit; font-size: 1.05rem; }
.sheet-head button { min-width: 4rem; min-height: 2.75rem; padding: 0 0.75rem; border: 0; background: none;
  color: light-dark(#0f766e, #4fd1c1); font: inherit; font-weight: 600; cursor: pointer; }
/* Beside a narrow field its menu is as wide as what there is to choose. */
[data-testid="stSelectboxVirtualDropdown"], .stSelectboxVirtualDropdown {
  min-width: min(16rem, 100vw - 1rem) !important; }
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
[data-testid="stButtonGroup"] [data-selected="true"] *, [role="tab"][aria-selected="true"] *,
[data-testid="stSliderThumbValue"] *, .stMarkdownBadge[style*="14, 132, 120"] {
  color: light-dark(#0f766e, #4fd1c1) !important; }
/* Without a query: a place for one, as wide as is easily looked over. Streamlit's uploader, which it fills, shows only
   what went wrong. */
[data-testid="stLayoutWrapper"]:has(> .st-key-start-head) { margin-bottom: -0.25rem; }
.st-key-page-upload { gap: 0; }
.st-key-page-upload:not(:has([role="alert"])) { max-height: 0; overflow: hidden; }
.st-key-page-upload :is([data-testid="stFileUploaderDropzone"]:not(:has([role="alert"])),
  [data-testid="stWidgetLabel"]) { display: none; }
[data-testid="stLayoutWrapper"]:has(> .st-key-page-upload) { margin-top: -1rem; }
h3 { font-size: 1.15rem !important; padding: 0 0 0.4rem !important; }
[data-testid="stColumn"] .st-key-drop-target { position: absolute; width: 0 !important; }
@media (min-width: 641px) and (max-width: 1000px) {
  [class*="st-key-several-"] button { padding: 0.25rem; }
  [class*="st-key-several-"] button span:has(> [data-testid="stIconMaterial"]) { display: none; }
}
.st-key-start-title { min-height: 3.7rem; }
.st-key-start-title h1 { padding-bottom: 0.4rem !important; }
/* These are drawn by scripts of their own: what follows does not wait, and is not to move. */
.st-key-home-inputs .st-key-drop-target { min-height: 13.5rem; }
.st-key-home-inputs .st-key-paste { min-height: 3.6rem; }
.st-key-live-camera [data-testid="stSkeleton"] { height: 1.5rem !important; }
.st-key-samples { min-height: 11rem; }
.st-key-gallery, .st-key-start-gallery:not(:empty) { min-height: 4.25rem; }
.st-key-another-picture { min-height: 2.5rem; }
.st-key-query-more [data-testid="stFileUploaderDropzoneInstructions"] { display: none; }
.st-key-map-head { min-height: 4.25rem; }
.st-key-gallery-facts { min-height: 22.4rem; }
.st-key-gallery-some { min-height: 4.75rem; }
.st-key-home-inputs { gap: 0.75rem; padding-bottom: 1rem; }
/* The strip above the results has its distance to them within it, so that there is none when it is empty. */
.st-key-query-strip { margin-bottom: -1rem; }
[data-testid="stLayoutWrapper"]:has(> .st-key-bottom-bar) { display: none; }
[data-testid="stLayoutWrapper"]:has(> .st-key-results-title) { position: absolute; width: 1px; height: 1px;
  overflow: hidden; clip-path: inset(50%); }
.st-key-menu { position: absolute; width: 0 !important; }
/* The query stays in sight while its results scroll. */
@media (min-width: 641px) {
  [data-testid="stColumn"]:has(.st-key-query-rail) > * { position: sticky; top: 4rem; max-height: calc(100vh - 4.5rem);
    overflow-y: auto; scrollbar-width: thin; margin: 0 -4px; padding: 4px; }
}
/* Beside a heading that is long, what changes the results stays where it is: the heading has two lines. */
@media (min-width: 1280px) {
  .st-key-toolbar { flex-wrap: nowrap; min-height: 2.75rem; }
  .st-key-toolbar > :first-child { flex: 0 1 auto; min-width: 0; line-height: 1.3; }
  .st-key-toolbar > :last-child { flex: none; }
}
/* A table is no wider than its place: one that scrolls is out of reach of the keyboard. */
[data-testid="stTable"] :is(td, td *) { white-space: normal !important; overflow-wrap: anywhere !important; }
/* Buttons that take something away for good are red. */
[class*="st-key-danger-"] button {
  background: #b3261e !important; border-color: #b3261e !important; color: #fff !important; }
@media (hover: none) and (pointer: coarse) {
  .st-key-home-inputs .st-key-drop-target { min-height: 11.5rem; }
  .st-key-another-picture { min-height: 2.75rem; }
  [data-testid="stLayoutWrapper"]:has(> .st-key-live-camera) { display: none; } }
/* A telephone: results first, the query in a strip above them and its panel on request, pages at the bottom. */
@media (max-width: 640px) {
  :root { --bottom-bar: calc(3.5rem + 1px + env(safe-area-inset-bottom)); }
  :root:has([class*="st-key-selection-bar"]) { --selection-bar: 7rem; }
  [data-testid="stMainBlockContainer"] { padding: 4.25rem 1rem 6rem; }
  h1 { font-size: 1.6rem !important; }
  .st-key-start-title { min-height: 3.2rem; }
  .st-key-samples { min-height: 9.75rem; }
  :root { --crop-high: 12rem; }
  [data-testid="stColumn"] .st-key-query-strip { min-height: 4rem; }
  .st-key-gallery-some { min-height: 15rem; }
  .st-key-bottom-bar [data-testid="stElementContainer"] { min-height: 3.5rem; margin: 0; }
  /* What changes the results has a line of its own below their heading. */
  [data-testid="stColumn"] .st-key-toolbar { min-height: 5.75rem; align-content: flex-start; }
  [data-testid="stColumn"] .st-key-toolbar > :last-child { flex: 1 0 100% !important; min-height: 3rem; }
  [data-testid="stLayoutWrapper"]:has(> .st-key-start-gallery) { flex: 1 0 100% !important; }
  [data-testid="stExpandSidebarButton"] { position: absolute; top: 1rem; right: 0.5rem; }
  [data-testid="stExpandSidebarButton"]::after { content: "Menu"; padding: 0 0.5rem; font-size: 0.875rem; }
  [data-testid="stExpandSidebarButton"] > * { display: none; }
  [data-testid="stLayoutWrapper"]:has(> .st-key-bottom-bar) { display: block; position: fixed; z-index: 999980;
    inset: auto 0 0 0; padding-bottom: env(safe-area-inset-bottom); background: light-dark(#ffffff, #111715);
    border-top: 1px solid light-dark(#dfe5e2, #2c3833); }
  .st-key-bottom-bar { flex-wrap: nowrap; min-height: 3.5rem; }
  .st-key-bottom-bar > * { flex: 1 1 0 !important; min-width: 0 !important; width: 0 !important; }
  .st-key-bottom-bar [data-testid="stPageLink-NavLink"] { flex-direction: column; justify-content: center; gap: 0;
    min-height: 3.5rem; padding: 0.25rem; margin: 0; border-radius: 0; font-size: 0.8rem; line-height: 1.2; }
  .st-key-query-strip { position: sticky; z-index: 90; top: 3.75rem; width: 100vw !important;
    max-width: none !important; margin: 0 -1rem -0.5rem; }
  [data-testid="stHorizontalBlock"]:has(.st-key-query-strip) > [data-testid="stColumn"]:has(.st-key-query-rail) {
    display: none; }
  [data-testid="stHorizontalBlock"]:has(.st-key-query-strip) > [data-testid="stColumn"]:has(.st-key-query-rail
    [data-testid="stAlert"]), [data-testid="stHorizontalBlock"]:has(.st-key-query-lacks) > [data-testid="stColumn"] {
    display: block !important; }
  html[data-query-open] [data-testid="stHorizontalBlock"]:has(.st-key-query-strip)
    > [data-testid="stColumn"]:has(.st-key-query-rail) { display: block; position: fixed; z-index: 91;
    inset: 7.75rem 0 0 0; width: 100% !important; max-width: none !important; padding: 1rem; overflow-y: auto;
    background: light-dark(#ffffff, #111715); }
  html[data-query-open] .st-key-query-rail { padding-bottom: calc(1rem + var(--bottom-bar)); }
  [data-testid="stPopoverBody"] { inset: auto 0 0 0 !important; width: 100% !important; max-width: none !important;
    max-height: 78dvh !important; transform: none !important; border-radius: 1rem 1rem 0 0 !important;
    padding-top: 0 !important; padding-bottom: calc(1.5rem + env(safe-area-inset-bottom)) !important; }
  /* Above a sheet the page is dimmed, as under a dialog: a tap there closes it and does nothing else. */
  #stFloatingOverlayPortal:has([data-testid="stPopoverBody"])::before { content: ""; position: fixed;
    z-index: 1000059; inset: 0; background: rgb(0 0 0 / 30%); }
  .sheet-head { display: flex !important; }
}
/* A finger needs 44 pixels. */
@media (pointer: coarse) {
  [data-testid="stPopoverBody"] button:not([data-testid="stTooltipIcon"] *), [role="listbox"] > [role="option"],
  [role="listbox"] > [role="option"] > [data-item-hl], [data-testid="stPopoverBody"] [data-testid="stCheckbox"] label {
    min-height: 2.75rem; align-items: center; }
  [role="listbox"] > [role="option"] > [data-item-hl] { display: flex; }
}
</style>
"""
