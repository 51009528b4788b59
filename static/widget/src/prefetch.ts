// Makes attempts before the click, and has the BFF mint as the button goes down, so that a click waits for no round trip.
import { fire } from "./events.js";
import type { Kit } from "./kit.js";
import type { Hooks } from "./hooks.js";
import type { Attempt, AttemptRequest } from "./types.js";

/** An attempt is not used so shortly (milliseconds) before it expires: the user needs time to begin. */
const ATTEMPT_MARGIN = 60_000;

interface Prefetched {
  made: Promise<Attempt>;
  until: number;
  /** Whether the BFF knows that the button is pressed. */
  reported: boolean | Promise<unknown>;
}

/** Makes attempts before clicks, and hands them to the clicks. */
export function prefetchHooks({ begin, errorOf, flowOf, hooks, load, offers, readRequest, settings, who }: Kit): Pick<Hooks, "expect" | "take"> {
  const waiting = {} as Record<string, Prefetched | undefined>;
  const keyOf = (request: AttemptRequest): string => JSON.stringify([who(), request]);

  /**
   * The attempt for this request, made if there is none; then `begun` gets its id. `pressed`: the user presses the button,
   * which the BFF is told once.
   */
  function attemptFor(request: AttemptRequest, begun: (id: string) => void, pressed: boolean): Promise<Attempt> {
    const key = keyOf(request);
    let found = waiting[key];
    if (!found || found.until <= Date.now()) {
      const fresh: Prefetched = (found = waiting[key] = { made: begin(request, pressed), until: Infinity, reported: pressed });
      fresh.made.then(
        ({ id, expires_in }) => {
          fresh.until = Date.now() + expires_in * 1000 - ATTEMPT_MARGIN;
          begun(id);
        },
        () => (fresh.until = 0), // Repeated at the next event; the click reports the error.
      );
    }
    if (pressed) found.reported ||= press(settings.base, found.made);
    return found.made;
  }

  return {
    expect(button, { detail, button: which }) {
      if (flowOf(button)) return;
      const request = readRequest(button);
      void load(request); // For a page without our element, which has loaded no delivery yet.
      // Of these events only `mousedown` has a `detail` above 0. With a finger it comes only after a tap, just before
      // the click.
      void attemptFor(hooks.ask(request), (attempt) => { fire(button, "step", { step: "prepared", attempt }); }, detail > 0 && !which);
    },
    take(wanted) {
      const error = offers[wanted.connector]?.error;
      if (error) return Promise.reject(errorOf({ error }));
      const request = hooks.ask(wanted);
      // Only for a popup: in this tab the launch follows at once, so there is no time to mint ahead of it.
      const made = attemptFor(request, () => 0, !request.delivery);
      waiting[keyOf(request)] = undefined;
      return made;
    },
  };
}

/**
 * Tells the BFF that the button is pressed, so that it mints for the launch. If that fails, the launch only takes longer.
 * A form without headers of ours, since it needs no preflight.
 */
const press = (base: string, attempt: Promise<Attempt>): Promise<unknown> =>
  attempt
    .then(({ launch_token }) => fetch(base + "/v1/press", { method: "POST", body: new URLSearchParams({ launch_token }) }))
    .catch(() => null); // `take` reports why there is no attempt.
