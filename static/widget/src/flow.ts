// One sign-in and whom it tells: events on a target, or the caller of `connect`.
import type { ConnectError } from "./errors.js";
import { fire } from "./events.js";
import { openPopup, type Popup } from "./popup.js";
import { settings } from "./session.js";
import type { ConnectOptions, ConnectResult } from "./types.js";

/** What a button, or a caller, asks for. */
export interface Wish extends ConnectOptions {
  connector: string;
}

/** Opens the window of a sign-in, straight at the BFF's opening page. Call it inside a click. */
export function openFor({ connector, delivery }: Wish): Popup {
  const { base, product } = settings;
  const query = new URLSearchParams({ product, origin: location.origin, connector }).toString();
  return openPopup(delivery === "return" ? undefined : `${base}/connect/opening?${query}`);
}

/** Tells `target` how a sign-in ended. */
export async function tellEnd(target: EventTarget, ending: Promise<ConnectResult>): Promise<ConnectResult> {
  try {
    const result = await ending;
    fire(target, "connected", result);
    return result;
  } catch (error) {
    const { code, title, nextStep, attempt, supportCode } = error as ConnectError;
    fire(target, "failed", { code, title, nextStep, attempt, supportCode });
    throw error;
  }
}
