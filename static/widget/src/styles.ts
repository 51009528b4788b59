// How the elements look. The host sets colours and shape as custom properties, or anything through ::part().

/** One sheet for all elements: no Content-Security-Policy stands in its way. None where the browser knows no such thing. */
export const sheet = newSheet();

// Everything else is the browser's own: its focus ring, its colour scheme, its direction of writing.
sheet?.replaceSync(`:host{display:inline-block;overflow-wrap:anywhere}\
button{padding:.6em 1em;border:1px solid;border-radius:var(--hitchpost-radius,.5em);color:inherit;background:none;font:inherit}\
[part=button]{color:var(--hitchpost-accent-ink,light-dark(#fff,#000));background:var(--hitchpost-accent,light-dark(#1d4ed8,#93c5fd))}\
div:not(:empty){display:flex;flex-wrap:wrap;gap:.5em;margin-top:.5em;white-space:pre-line}\
[aria-busy=true]{cursor:progress}`);

function newSheet(): CSSStyleSheet | undefined {
  try {
    return new CSSStyleSheet();
  } catch {
    return undefined; // Safari before 16.4: the buttons look as the browser has them.
  }
}
