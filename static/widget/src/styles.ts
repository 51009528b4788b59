// How the element looks. The host sets colours and shape as custom properties, or anything through ::part().

const CSS = `
:host {
  display: inline-block; max-width: 100%; font: var(--hitchpost-font, inherit);
  --accent: var(--hitchpost-accent, light-dark(#1d4ed8, #93c5fd))
}
[hidden] { display: none }
button {
  box-sizing: border-box; max-width: 100%; min-height: 2.75em; padding: .5em 1.1em; font: inherit; cursor: pointer;
  overflow-wrap: anywhere; border: 1px solid var(--accent); border-radius: var(--hitchpost-radius, .5em);
  color: inherit; background: none; transition: opacity .2s
}
[part=button] { color: var(--hitchpost-accent-ink, light-dark(#fff, #000)); background: var(--accent) }
button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
button:hover, [aria-busy=true] { opacity: .8 }
span:not(:empty) { display: block; margin-block: .5em; white-space: pre-line; overflow-wrap: anywhere }
[role=group] { gap: .5em; flex-wrap: wrap }
[role=group]:not([hidden]) { display: flex }
@media (prefers-reduced-motion) { button { transition: none } }
`;

/** Styles a shadow root. Without constructable style sheets the element works unstyled: no CSP stands in the way. */
export function style(root: ShadowRoot): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
  } catch {
    // An old browser.
  }
}
