// Logs messages for the page's developers.

let last: string | undefined;

/** Logs a message as an error, unless it is the same as the last one. Returns the logged line. */
export function logError(what: unknown): string {
  const line = `Hitchpost: ${what as string}`;
  if (line !== last) console.error((last = line));
  return line;
}
