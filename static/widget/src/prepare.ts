// Attempts made ahead of the click, so that a click waits for no round trip.
import { begin } from "./bff.js";
import { identity } from "./session.js";
import type { Attempt, AttemptRequest } from "./types.js";

/** An attempt this near its end (milliseconds) is left alone: the user needs time to begin. */
const EARLY = 60_000;

interface Prepared {
  attempt: Promise<Attempt>;
  until: number;
}

const waiting = {} as Record<string, Prepared | undefined>;

/** Sees to it that an attempt for this request waits; `made` is told its id if it had to be made. */
export function prepare(request: AttemptRequest, made: (id: string) => void): void {
  const key = keyOf(request);
  if (Date.now() < (waiting[key]?.until ?? 0)) return;
  const fresh: Prepared = { attempt: begin(request), until: Infinity };
  waiting[key] = fresh;
  fresh.attempt.then(
    ({ id, expires_at }) => {
      fresh.until = Date.parse(expires_at) - EARLY;
      made(id);
    },
    () => (fresh.until = 0), // Asked again at the next sign of interest; a click tells what went wrong.
  );
}

/** The attempt that waits for this request, which nobody else will get, or a new one. Throws like `begin`. */
export function take(request: AttemptRequest): Promise<Attempt> {
  const key = keyOf(request);
  const found = waiting[key];
  waiting[key] = undefined;
  return found && Date.now() < found.until ? found.attempt : begin(request);
}

function keyOf(request: AttemptRequest): string {
  return JSON.stringify([identity, request]);
}
