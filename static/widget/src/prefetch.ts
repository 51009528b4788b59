// Attempts made ahead of the click, and minted for as it begins, so that a click waits for no round trip.
import { fire } from "./events.js";
import type { Kit } from "./kit.js";
import type { Later } from "./later.js";
import type { Attempt, AttemptRequest } from "./types.js";

/** An attempt this near its end (milliseconds) is left alone: the user needs time to begin. */
const EARLY = 60_000;

interface Prefetched {
  made: Promise<Attempt>;
  until: number;
  /** Whether the BFF was told that its button is pressed. */
  told: boolean | Promise<unknown>;
}

/** Makes attempts ahead of clicks, and gives them to the clicks. */
export function prefetcher({ begin, errorOf, flowOf, later, load, offers, readRequest, settings, who }: Kit): Pick<Later, "expect" | "take"> {
  const waiting = {} as Record<string, Prefetched | undefined>;
  const keyOf = (request: AttemptRequest): string => JSON.stringify([who(), request]);

  /**
   * The attempt that waits for this request, made if need be; `begun` is told its id then. `pressed`: the user's
   * click begins, and the BFF is told, once.
   */
  function prefetch(request: AttemptRequest, begun: (id: string) => void, pressed: boolean): Promise<Attempt> {
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
    if (pressed) found.told ||= press(settings.base, found.made);
    return found.made;
  }

  return {
    expect(button, { detail, button: which }) {
      if (flowOf(button)) return;
      const request = readRequest(button);
      void load(request); // A page without our element has not asked for the words and the delivery yet.
      // Of the events that bring us here only `mousedown` counts its clicks. With the button of a mouse down it is a
      // press; a finger's `mousedown` comes only when it has scrolled nothing, and the click with it.
      void prefetch(later.ask(request), (attempt) => { fire(button, "step", { step: "prepared", attempt }); }, detail > 0 && !which);
    },
    take(wanted) {
      const error = offers[wanted.connector]?.error;
      if (error) return Promise.reject(errorOf({ error }));
      const request = later.ask(wanted);
      // In this tab the launch comes as soon as a press would.
      const made = prefetch(request, () => 0, !request.delivery);
      waiting[keyOf(request)] = undefined;
      return made;
    },
  };
}

/**
 * The button of this attempt is pressed: the BFF begins what the launch will wait for. Should it not get through, the
 * launch only takes longer. A form, and no header of ours: the browser need not ask first whether it may be sent.
 */
const press = (base: string, attempt: Promise<Attempt>): Promise<unknown> =>
  attempt
    .then(({ launch_token }) => fetch(base + "/v1/press", { method: "POST", body: new URLSearchParams({ launch_token }) }))
    .catch(() => null); // Whoever waits for the attempt itself is told what is wrong.
