// Reports the steps and the ending of a sign-in to the page. Ends a connection, and reports that.
import { call } from "./bff.js";
import { logError } from "./log.js";
import type { ConnectError } from "./errors.js";
import { fire } from "./events.js";
import type { ConnectRequest, ConnectResult, Step } from "./types.js";

/**
 * Ends a connection of the account, at the partner service too, and fires `hitchpost:disconnected` on `target`; on the document if that
 * has left the page, because nobody hears an event there.
 */
export const disconnect = (connection: string, target: EventTarget = document): Promise<void> =>
  call("connections/" + connection, null).then(() => { fire((target as Partial<Node> | null)?.isConnected === false ? document : target, "disconnected", { connection }); });

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
 * Fires `hitchpost:connected` or `hitchpost:failed` when a sign-in ends. Returns the same promise. `target` is called at the end, and
 * returns the node for the event, or undefined for no event.
 */
export function reportEnd(ending: Promise<ConnectResult>, target: () => EventTarget | undefined): Promise<ConnectResult> {
  ending.then(
    (result) => { fire(target(), "connected", result); },
    (error: unknown) => { fire(target(), "failed", error as ConnectError); },
  );
  return ending;
}
