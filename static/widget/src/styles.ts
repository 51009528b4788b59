// How the element looks. The host sets colours and shape as custom properties, or anything through ::part().

// Everything else is the browser's own: its focus ring, its colour scheme, its direction of writing.
const CSS = `:host{display:inline-block;max-width:100%;overflow-wrap:anywhere;font:var(--hitchpost-font,inherit)}
button{max-width:100%;padding:.6em 1em;border:1px solid;border-radius:var(--hitchpost-radius,.5em);color:inherit;background:none;font:inherit}
[part=button]{color:var(--hitchpost-accent-ink,light-dark(#fff,#000));background:var(--hitchpost-accent,light-dark(#1d4ed8,#93c5fd))}
[part=action]{margin-inline-end:.5em}
span:not(:empty),[part=action]{margin-block-start:.5em}
span{display:block;white-space:pre-line}
[aria-busy=true]{opacity:.7}`;

/** Styles a shadow root, by a sheet that no Content-Security-Policy stands in the way of. */
export function style(root: ShadowRoot): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  root.adoptedStyleSheets = [sheet];
}
