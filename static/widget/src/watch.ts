// How the connectors stand is asked anew when it may have changed: here, or while the user was elsewhere.
import type { Kit } from "./kit.js";

/** What happens to a page that is looked at again. */
const BACK = ["focus", "pageshow", "visibilitychange"];
/** So long (milliseconds) after that it is asked once more: a worker of the BFF may hear of a change a moment later. */
const AGAIN = 3500;

/** Has the elements ask again after each change, and when the page is looked at. */
export function watchStates({ refresh }: Kit): void {
  let last = 0;
  // In the window, before anything on the page can stop the event.
  for (const name of ["connected", "disconnected"]) addEventListener("hitchpost:" + name, refresh, true);
  for (const name of BACK) {
    addEventListener(name, () => {
      // A clock may be set back meanwhile.
      if (document.hidden || Math.abs(Date.now() - last) < AGAIN) return;
      last = Date.now();
      refresh();
      setTimeout(refresh, AGAIN);
    });
  }
}
