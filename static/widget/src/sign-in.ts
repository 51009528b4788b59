// Opens sign-ins and ends connections; reports steps and endings to the page.
import { endConnection } from "./bff.js";
import { logError } from "./log.js";
import type { ConnectError } from "./errors.js";
import { fire } from "./events.js";
import { openPopup, type Popup } from "./popup.js";
import { settings } from "./session.js";
import type { ConnectOptions, ConnectResult, Step } from "./types.js";

/** What a button, or a caller of `connect`, asks for. */
export interface ConnectRequest extends ConnectOptions {
  connector: string;
}

/** Opens a popup at the BFF's opening page. Call it inside a click. */
export function openSignIn({ connector, locale = settings.locale ?? settings.lang ?? "" }: ConnectRequest): Popup {
  // In a frame without a URL of its own (`about:...`) `location.origin` is "null". `self.origin` is its parent's there.
  const query = { product: settings.product, origin: self.origin, connector, locale };
  return openPopup(settings.base + "/connect/opening?" + (new URLSearchParams(query) as unknown as string));
}

/** Ends a connection of the account, and fires `hitchpost:disconnected` on `target`. */
export const disconnect = (connection: string, target: EventTarget = document): Promise<void> =>
  endConnection(connection).then(() => { fire(target, "disconnected", { connection }); });

/** Reports a step: calls the caller's `onStep`, and fires an event on `target`. */
export function reportStep({ onStep }: ConnectRequest, target: EventTarget, step: Step, attempt?: string): void {
  try {
    onStep?.(step);
  } catch (error) {
    logError(error); // The page's callback threw. The sign-in goes on.
  }
  fire(target, "step", { step, attempt });
}

/**
 * Fires an event when a sign-in ends, and returns its promise. `target` is called at the end, and returns the node for the
 * event, or false for no event.
 */
export function reportEnd(ending: Promise<ConnectResult>, target: () => EventTarget | false): Promise<ConnectResult> {
  ending.then(
    (result) => { fire(target(), "connected", result); },
    (error: unknown) => { fire(target(), "failed", error as ConnectError); },
  );
  return ending;
}
