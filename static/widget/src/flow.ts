// Opens sign-ins, ends connections, and reports both to the page.
import { end } from "./bff.js";
import { logError } from "./log.js";
import type { ConnectError } from "./errors.js";
import { fire } from "./events.js";
import { openPopup, type Popup } from "./popup.js";
import { settings } from "./session.js";
import type { ConnectOptions, ConnectResult, Step } from "./types.js";

/** What a button, or a caller, asks for. */
export interface ConnectRequest extends ConnectOptions {
  connector: string;
}

/** Opens the window of a sign-in at the BFF's opening page. Call it inside a click. */
export function openSignIn({ connector, locale = settings.locale ?? settings.lang ?? "" }: ConnectRequest): Popup {
  // `self.origin`, not `location.origin`: in a frame made from text that is "null", and this its parent's origin.
  const query = { product: settings.product, origin: self.origin, connector, locale };
  return openPopup(settings.base + "/connect/opening?" + (new URLSearchParams(query) as unknown as string));
}

/** Ends a connection of the account, and fires `hitchpost:disconnected` on `target`. */
export const disconnect = (connection: string, target: EventTarget = document): Promise<void> =>
  end(connection).then(() => { fire(target, "disconnected", { connection }); });

/** Reports a step to the caller of `connect` and by an event. */
export function reportStep({ onStep }: ConnectRequest, target: EventTarget, step: Step, attempt?: string): void {
  try {
    onStep?.(step);
  } catch (error) {
    logError(error); // The page's callback threw. The sign-in goes on.
  }
  fire(target, "step", { step, attempt });
}

/** Fires the event for the end of a sign-in, and returns its promise. `target` is asked at the end; false for no event. */
export function reportEnd(ending: Promise<ConnectResult>, target: () => EventTarget | false): Promise<ConnectResult> {
  ending.then(
    (result) => { fire(target(), "connected", result); },
    (error: unknown) => { fire(target(), "failed", error as ConnectError); },
  );
  return ending;
}
