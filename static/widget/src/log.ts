// Advice for the page's developers, in the console.

let last: string | undefined;

/** Logs a line as an error, unless it is the same as the last one. Returns the line. */
export function logError(what: unknown): string {
  const line = `Hitchpost: ${what as string}`;
  if (line !== last) console.error((last = line));
  return line;
}
