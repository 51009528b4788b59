// Logs messages for the page's developers.

let last: string | undefined;

/** Logs a message, or an Error with its stack, unless its line is the same as the last one. Returns the line. */
export function logError(what: unknown): string {
  if (last !== (last = `Hitchpost: ${what as string}`)) console.error("Hitchpost:", what);
  return last;
}
