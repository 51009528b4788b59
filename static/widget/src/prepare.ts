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

/** Sees to it that an attempt for this request waits; `made` is told its id if it had to be made. */
export function prepare(request: AttemptRequest, made?: (id: string) => void): Promise<Attempt> {
  const key = keyOf(request);
  let found = waiting.get(key);
  if (!found || found.until_ < Date.now()) {
    const fresh: Prepared = { attempt_: begin(request), until_: Infinity };
    fresh.attempt_.then(
      ({ id, expires_at }) => {
        fresh.until_ = Date.parse(expires_at) - EARLY;
        made?.(id);
      },
      () => (fresh.until_ = 0), // Asked again at the next sign of interest; a click tells of what went wrong.
    );
    waiting.set(key, (found = fresh));
  }
  return found.attempt_;
}

/** The attempt for this request, which nobody else will get. Throws like `begin`. */
export function take(request: AttemptRequest): Promise<Attempt> {
  const attempt = prepare(request);
  waiting.delete(keyOf(request));
  return attempt;
}

function keyOf(request: AttemptRequest): string {
  return JSON.stringify([identity, request]);
}
