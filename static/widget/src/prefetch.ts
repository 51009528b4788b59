// Attempts made ahead of the click, and minted for as it begins, so that a click waits for no round trip.
import { begin, press } from "./bff.js";
import { identity } from "./session.js";
import type { Attempt, AttemptRequest } from "./types.js";

/** An attempt this near its end (milliseconds) is left alone: the user needs time to begin. */
const EARLY = 60_000;

interface Prefetched {
  made: Promise<Attempt>;
  until: number;
  /** Whether the BFF was told that its button is pressed. */
  told: boolean | Promise<unknown>;
}

const waiting = {} as Record<string, Prefetched | undefined>;

/**
 * The attempt that waits for this request, made if need be; `begun` is told its id then. `pressed`: the user's
 * click begins, and the BFF is told, once.
 */
export function prefetch(request: AttemptRequest, begun: (id: string) => void, pressed: boolean): Promise<Attempt> {
  const key = keyOf(request);
  let found = waiting[key];
  if (!found || found.until <= Date.now()) {
    const fresh: Prefetched = (found = waiting[key] = { made: begin(request, pressed), until: Infinity, told: pressed });
    fresh.made.then(
      ({ id, expires_in }) => {
        fresh.until = Date.now() + expires_in * 1000 - EARLY;
        begun(id);
      },
      () => (fresh.until = 0), // Asked again at the next sign of interest; a click tells what went wrong.
    );
  }
  if (pressed) found.told ||= press(found.made);
  return found.made;
}

/** The same for a click: nobody else will get it. In this tab the launch comes as soon as a press would. Throws like `begin`. */
export function take(request: AttemptRequest): Promise<Attempt> {
  const made = prefetch(request, () => 0, !request.delivery);
  waiting[keyOf(request)] = undefined;
  return made;
}

function keyOf(request: AttemptRequest): string {
  return JSON.stringify([identity, request]);
}
