// A queue of signals, which wake a flow.

/**
 * What wakes a flow. All but `ready` and `cancel` are reasons to read the status, never proof of an ending: if a page in the popup
 * isolates itself, `closed` is true while the user still types, and any page may post a message.
 */
export type Signal =
  | "ready" // The opening page asks for its launch token.
  | "message" // The partner service posted the callback message.
  | "returned" // The BFF's return page or form page posted a message, or the flow goes on with an existing attempt.
  | "trouble" // An error page of the BFF or of the embedded partner service posted.
  | "closed" // The popup was closed, or seems closed because it has been cut off from this page.
  | "focus" // The page is back: focused, visible, shown again, online.
  | "cancel" // The user gave up.
  | "cut_off" // The Cross-Origin-Opener-Policy of this page has cut the popup off.
  | "interrupted" // A sign-in in this tab has not ended though the user is here, or an existing attempt has not ended in time. The BFF answers a step of this name too.
  | "not_loading" // The popup is open, but its page does not load in time.
  | "unsure" // The popup seems closed, and the user is on this page.
  | "waiting"; // None of the four above holds any longer: the user signs in.

export interface Signals {
  /** Adds a signal or an answer of the BFF, and wakes the flow. One that is in the queue already is not added again. */
  queueSignal: (signal: Signal | object) => void;
  /** Removes and returns the next of them; undefined if none comes within `ms` milliseconds. Without `ms` it waits for one. */
  nextSignal: (ms?: number) => Promise<Signal | object | undefined>;
}

/** A queue for one flow. */
export function signals(): Signals {
  const queue: (Signal | object)[] = [];
  let wake: (() => void) | undefined;
  return {
    queueSignal(signal) {
      if (!queue.includes(signal)) queue.push(signal);
      wake?.();
    },
    async nextSignal(ms) {
      if (!queue.length) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (ms) setTimeout(resolve, ms); // Not cleared after a signal: it then resolves what is resolved.
        });
      }
      return queue.shift();
    },
  };
}
