// What the people who build the page should change, in their console.

let last: string | undefined;

/** Writes one line, once and not again and again; the line. */
export function complain(what: unknown): string {
  const line = `Hitchpost: ${what as string}`;
  if (line !== last) console.error((last = line));
  return line;
}
