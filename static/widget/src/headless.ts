// The entry of `import "hitchpost"`: the flow without any element. Importing it changes nothing on the page.
import { beginAttempt, readConnections } from "./bff.js";
import { bodyOf, runSignIn } from "./sign-in.js";
import { openSignIn } from "./popup.js";
import { reportEnd, reportStep } from "./report.js";
import type { Connection, ConnectOptions, ConnectResult } from "./types.js";

export { ConnectError } from "./errors.js";
export { disconnect } from "./report.js";
export { configure } from "./session.js";
export type * from "./globals.js";
export type * from "./types.js";

/** What the signed-in user's account has connected. */
export const connections: () => Promise<Connection[]> = readConnections;

/**
 * Connects the signed-in user's account to `connector`: opens a popup and waits until the BFF reports how it ended.
 * Call it inside a click, with nothing awaited before, or browsers block the popup.
 *
 * @param connector - key of a connector that the product offers
 * @param options - message, connection, locale, an AbortSignal, and a callback for the steps
 * @returns what was connected
 * @throws ConnectError on every other ending, with a title and a next step
 */
export function connect(connector: string, options?: Omit<ConnectOptions, "delivery">): Promise<ConnectResult> {
  const request = { ...options, connector };
  const ending = runSignIn(request.signal, (...step) => { reportStep(request, document, ...step); }, openSignIn(request), () => beginAttempt(bodyOf(request), true));
  return reportEnd(ending, () => document);
}
