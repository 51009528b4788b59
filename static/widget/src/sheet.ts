// Constructable style sheets, which no Content-Security-Policy blocks.

/** A style sheet of this text; undefined where the browser does not support it. */
export function sheetOf(text: string): CSSStyleSheet | undefined {
  try {
    const made = new CSSStyleSheet();
    made.replaceSync(text);
    return made;
  } catch {
    return undefined; // Safari before 16.4: the buttons have the browser's look.
  }
}
