// Makes attempts before the click, and lets the BFF mint while the button is pressed, so that a click waits for no round trip.
import { connectorOf } from "./connector.js";
import type { Kit } from "./kit.js";
import type { Hooks } from "./hooks.js";
import { RETURN_EVENTS } from "./refresh-states.js";
import type { Attempt, AttemptRequest } from "./types.js";

/** How long (milliseconds) before its expiry an attempt is no longer used: the user needs time to begin. */
const ATTEMPT_MARGIN = 60_000;

interface Prefetched {
  attemptPromise: Promise<Attempt>;
  /** When to make another one (milliseconds, as `Date.now()`). */
  usableUntil: number;
  /** Truthy if the press has been reported to the BFF, or is being reported. */
  pressReported: boolean | Promise<unknown>;
}

/** The hooks that make attempts before clicks, and hand them to the clicks. */
export function prefetchHooks(kit: Kit): Pick<Hooks, "prefetch" | "takeAttempt"> {
  const { beginAttempt, errorOf, adoptFlow, fire, hooks, loadConfig, readRequest, settings, userEpoch } = kit;
  let prefetched: Record<string, Prefetched | undefined> = {};
  let epoch: number;
  /** The key of a request. First drops what was made for another user. */
  const keyOf = (request: AttemptRequest): string => {
    if (epoch !== (epoch = userEpoch())) prefetched = {};
    return JSON.stringify(request);
  };
  // Where cookies authenticate the user, another one may have signed in in another tab.
  for (const name of RETURN_EVENTS) addEventListener(name, () => { if (!settings.session) prefetched = {}; });

  /**
   * Returns the attempt for this request. Makes one if there is none, and calls `onMade` with its id. `pressed`: the user presses
   * the button, which is reported to the BFF once.
   */
  function attemptFor(request: AttemptRequest, onMade: (id: string) => void, pressed: boolean): Promise<Attempt> {
    const key = keyOf(request);
    let found = prefetched[key];
    if (!found || found.usableUntil <= Date.now()) {
      const fresh: Prefetched = (found = prefetched[key] = { attemptPromise: beginAttempt(request, pressed), usableUntil: Infinity, pressReported: pressed });
      fresh.attemptPromise.then(
        ({ id, expires_in }) => {
          fresh.usableUntil = Date.now() + expires_in * 1000 - ATTEMPT_MARGIN;
          onMade(id);
        },
        () => (fresh.usableUntil = 0), // The next event makes another one. The click reports the error.
      );
    }
    if (pressed) found.pressReported ||= reportPress(settings.base, found.attemptPromise);
    return found.attemptPromise;
  }

  return {
    prefetch(button, { detail, button: mouseButton }) {
      const request = readRequest(button);
      if (adoptFlow(button) || connectorOf(kit, request)?.error) return; // The click reports the error.
      void loadConfig(request.locale); // For the default delivery: a page without <hitchpost-connect> has not loaded it yet.
      // A press is a `mousedown` (no other event here has a `detail` above 0) of the main mouse button (0). On a touch screen it
      // comes after the tap, just before the click.
      void attemptFor(hooks.bodyOf(request), (attempt) => { fire(button, "step", { step: "prepared", attempt }); }, detail > 0 && !mouseButton);
    },
    takeAttempt(wanted) {
      const error = connectorOf(kit, wanted)?.error;
      if (error) return Promise.reject(errorOf({ error }));
      const request = hooks.bodyOf(wanted);
      // In the click, the press is reported for a popup only: in this tab the launch follows at once, so minting ahead saves no time.
      const attempt = attemptFor(request, () => 0, !request.delivery);
      prefetched[keyOf(request)] = undefined;
      return attempt;
    },
  };
}

/** Makes attempts for buttons that the pointer or the focus had reached before this script came: no event will tell of them. */
export function prefetchInUse({ hooks }: Kit): void {
  for (const button of document.querySelectorAll("hitchpost-connect,[data-hitchpost-connect]")) {
    if (button.matches(":hover,:focus-within") && !button.matches(":disabled,[aria-disabled=true]")) hooks.prefetch(button, new MouseEvent("focus"));
  }
}

/**
 * Reports to the BFF that the button is pressed, so that it mints for the launch. If the call fails, the launch only takes longer.
 * The body is a form and there are no custom headers, so that the call needs no CORS preflight.
 */
const reportPress = (base: string, attempt: Promise<Attempt>): Promise<unknown> =>
  attempt
    .then(({ launch_token }) => fetch(base + "/v1/press", { method: "POST", body: new URLSearchParams({ launch_token }) }))
    .catch(() => null); // `takeAttempt` reports why no attempt could be made.
