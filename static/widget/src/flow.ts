// One sign-in and whom it tells: events on a target, or the caller of `connect`.
import { end } from "./bff.js";
import { complain } from "./complain.js";
import type { ConnectError } from "./errors.js";
import { fire } from "./events.js";
import { openPopup, type Popup } from "./popup.js";
import { settings } from "./session.js";
import type { ConnectOptions, ConnectResult, Step } from "./types.js";

/** What a button, or a caller, asks for. */
export interface ConnectRequest extends ConnectOptions {
  connector: string;
}

/** Opens the window of a sign-in, straight at the BFF's opening page. Call it inside a click. */
export function openFor({ connector, locale = settings.locale ?? settings.lang ?? "" }: ConnectRequest): Popup {
  // Not the address's: in a frame that is made from a text that has no origin, but the page has its parent's.
  const query = { product: settings.product, origin: self.origin, connector, locale };
  return openPopup(settings.base + "/connect/opening?" + (new URLSearchParams(query) as unknown as string));
}

/** Ends a connection of the account; then `target` is told. */
export const disconnect = (connection: string, target: EventTarget = document): Promise<void> =>
  end(connection).then(() => { fire(target, "disconnected", { connection }); });

/** Tells how far a sign-in is: its caller, and by an event. */
export function tellStep({ onStep }: ConnectRequest, target: EventTarget, step: Step, attempt?: string): void {
  try {
    onStep?.(step);
  } catch (error) {
    complain(error); // The page's own function: the sign-in goes on.
  }
  fire(target, "step", { step, attempt });
}

/** Tells how a sign-in ended, and gives it on. `target` says whom, once it has ended: false is nobody. */
export function tellEnd(ending: Promise<ConnectResult>, target: () => EventTarget | false): Promise<ConnectResult> {
  ending.then(
    (result) => { fire(target(), "connected", result); },
    (error: unknown) => { fire(target(), "failed", error as ConnectError); },
  );
  return ending;
}
