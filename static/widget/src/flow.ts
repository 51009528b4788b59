// One sign-in and whom it tells: events on a target, or the caller of `connect`.
import type { ConnectError } from "./errors.js";
import { fire } from "./events.js";
import { openPopup, type Popup } from "./popup.js";
import { settings } from "./session.js";
import type { ConnectOptions, ConnectResult } from "./types.js";
import { words } from "./words.js";

/** What a button, or a caller, asks for. */
export interface Wish extends ConnectOptions {
  connector: string;
}

/** Opens the window of a sign-in, straight at the BFF's opening page. Call it inside a click. */
export function openFor({ connector, delivery, locale = settings.locale ?? words.lang }: Wish): Popup {
  const query = { product: settings.product, origin: hostOrigin(), connector, locale };
  return openPopup(delivery === "return" ? undefined : settings.base + "/connect/opening?" + (new URLSearchParams(query) as unknown as string));
}

/** This page's origin: its parent's in a frame that is made from a text, whose address has none. */
const hostOrigin = (): string => (location.origin === "null" ? self.origin : location.origin);

/** Tells `target` how a sign-in ended, and gives it on. */
export function tellEnd(target: EventTarget, ending: Promise<ConnectResult>): Promise<ConnectResult> {
  ending.then(
    (result) => { fire(target, "connected", result); },
    (error: unknown) => { fire(target, "failed", error as ConnectError); },
  );
  return ending;
}
