// Goes on with what other pages of this tab began: they were reloaded, or the sign-in went through this tab.
import { run } from "./controller.js";
import { flows } from "./registry.js";
import { recall } from "./resume.js";
import { bffOrigin } from "./session.js";

/**
 * Watches each remembered attempt to its end, unless this page does so already. Not before the
 * page has said where the BFF is, and its own scripts have had their turn to listen.
 */
export function resume(event?: Event): void {
  if (!bffOrigin() || !(event || document.readyState === "complete")) return;
  recall((id, request) => {
    // Whoever stands for its connector by then is told how it ended.
    if (![...flows].some(({ attempt }) => attempt === id)) void run(undefined, request, { id });
  });
}
