// Constructable style sheets, which no Content-Security-Policy blocks.

/** Creates a style sheet from a text; undefined if the browser does not support it. */
export function sheetOf(text: string): CSSStyleSheet | undefined {
  try {
    const made = new CSSStyleSheet();
    made.replaceSync(text);
    return made;
  } catch {
    return undefined; // Safari before 16.4. The buttons then have the browser's own look.
  }
}
