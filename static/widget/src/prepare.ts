// Attempts made ahead of the click, so that a click waits for no round trip.
import { begin } from "./bff.js";
import { identity } from "./session.js";
import type { Attempt, AttemptRequest } from "./types.js";

/** An attempt this near its end (milliseconds) is left alone: the user needs time to begin. */
const EARLY = 60_000;

interface Prepared {
  attempt_: Promise<Attempt>;
  until_: number;
}

const waiting = new Map<string, Prepared>();

/** An attempt for this request: the one that waits, or a new one. Throws like `begin`. */
export function prepare(request: AttemptRequest): Promise<Attempt> {
  const key = keyOf(request);
  let found = waiting.get(key);
  if (!found || found.until_ < Date.now()) {
    const made: Prepared = { attempt_: begin(request), until_: Infinity };
    made.attempt_.then(
      (attempt) => (made.until_ = Date.parse(attempt.expires_at) - EARLY),
      () => (made.until_ = 0), // Asked again at the next sign of interest.
    );
    waiting.set(key, (found = made));
  }
  return found.attempt_;
}

/** The same, for use now: nobody else gets this attempt. */
export function take(request: AttemptRequest): Promise<Attempt> {
  const attempt = prepare(request);
  waiting.delete(keyOf(request));
  return attempt;
}

function keyOf(request: AttemptRequest): string {
  return JSON.stringify([identity, request]);
}
