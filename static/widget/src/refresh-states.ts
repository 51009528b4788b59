// Reloads the connectors when their state may have changed: by this page, or while the user was elsewhere.
import type { Kit } from "./kit.js";

/** Events after which the user may be back on the page. */
export const RETURN_EVENTS = ["focus", "pageshow", "visibilitychange"];
/**
 * Pause (milliseconds) between two reloads on return. Each is followed by a second one after this pause, because another worker of
 * the BFF may learn of a change later.
 */
const RELOAD_PAUSE = 3500;

/** Events of libraries that show another page without loading it: another user may have signed in. */
const NEW_PAGE_EVENTS = ["turbo:render", "htmx:historyRestore", "livewire:navigated"];

/**
 * Reloads the connectors after each change, and when the user is back. Renews the session where another user may have signed in:
 * on a new page that was not loaded, and on one that the browser restores from its cache.
 */
export function refreshStates({ refresh }: Kit): void {
  const renewSession = (): void => { Hitchpost.configure({}); };
  for (const name of NEW_PAGE_EVENTS) addEventListener(name, renewSession);
  addEventListener("pageshow", ({ persisted }) => { if (persisted) renewSession(); });
  let last = 0;
  // In the capture phase, before the page can stop the event.
  for (const name of ["connected", "disconnected", "failed"]) addEventListener("hitchpost:" + name, refresh, true);
  for (const name of RETURN_EVENTS) {
    addEventListener(name, () => {
      // `abs`, because the user's clock may be set back.
      if (document.hidden || Math.abs(Date.now() - last) < RELOAD_PAUSE) return;
      last = Date.now();
      refresh();
      setTimeout(refresh, RELOAD_PAUSE);
    });
  }
}
