// Goes on with what other pages of this tab began: they were reloaded, or the sign-in went through this tab.
import type { Kit } from "./kit.js";

/**
 * Watches each remembered attempt (resume.ts) to its end, unless this page does so already. Not before the
 * page has said where the BFF is, and its own scripts have had their turn to listen.
 */
export function resume({ bffOrigin, flows, keyOf, run }: Kit, event?: Event): void {
  if (!bffOrigin() || !(event ?? document.readyState === "complete")) return;
  for (const [key, value] of remembered()) {
    const [, id] = key.split(keyOf(""));
    const [connector = "", message, connection] = value.split(" ");
    // Whoever stands for its connector by then is told how it ended. An empty message names none.
    const request = { connector, message: message === "" ? undefined : message, connection };
    if (id && ![...flows].some(({ attempt }) => attempt === id)) void run(undefined, request, { id });
  }
}

function remembered(): [string, string][] {
  try {
    return Object.entries(sessionStorage) as [string, string][];
  } catch {
    return []; // A page without storage cannot resume; all else works.
  }
}
