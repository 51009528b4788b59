// A sheet without any markup: no Content-Security-Policy stands in its way.

/** A sheet of this text; none where the browser knows no such thing. */
export function sheetOf(text: string): CSSStyleSheet | undefined {
  try {
    const made = new CSSStyleSheet();
    made.replaceSync(text);
    return made;
  } catch {
    return undefined; // Safari before 16.4: the buttons look as the browser has them.
  }
}
