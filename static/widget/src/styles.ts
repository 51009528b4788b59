// How the element looks. The host sets colours and shape as custom properties, or anything through ::part().

// Everything else is the browser's own: its focus ring, its colour scheme, its direction of writing.
const CSS = `:host{display:inline-block;overflow-wrap:anywhere;font:var(--hitchpost-font,inherit)}
button{padding:.6em 1em;border:1px solid;border-radius:var(--hitchpost-radius,.5em);color:inherit;background:none;font:inherit}
[part=button]{color:var(--hitchpost-accent-ink,light-dark(#fff,#000));background:var(--hitchpost-accent,light-dark(#1d4ed8,#93c5fd))}
div:not(:empty){display:flex;flex-wrap:wrap;gap:.5em;margin-block-start:.5em;white-space:pre-line}
[aria-busy=true]{opacity:.7}`;

/** Styles a shadow root, by a sheet that no Content-Security-Policy stands in the way of. */
export function style(root: ShadowRoot): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  root.adoptedStyleSheets = [sheet];
}
