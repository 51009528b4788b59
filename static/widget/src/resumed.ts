// Goes on with what another page of this tab began: it was reloaded, or the sign-in went through this tab.
import { recall } from "./resume.js";
import { bffOrigin } from "./session.js";
import { run } from "./steer.js";
import { TAG, wishOf } from "./wish.js";

/** What the page before this one left, until it is taken up. */
let left = recall();

/** Watches the remembered attempt to its end, and tells the element or button that stands for its connector. */
export function resume(): void {
  if (!bffOrigin()) return; // Not configured yet: `configure` comes here again.
  const entry = left;
  left = undefined;
  if (!entry) return;
  const { connector } = entry;
  const button = document.querySelector(TAG + `[connector="${connector}"],[data-hitchpost-connect="${connector}"]`);
  void run(button ?? document, button ? wishOf(button) : { connector }, entry);
}
