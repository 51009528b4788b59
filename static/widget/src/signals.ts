// A queue of what wakes a flow.

/**
 * A reason to poll, never a verdict: a page in the popup that isolates itself makes `closed` read true while the user
 * still types, and any page may post a message.
 */
export type Signal =
  | "ready" // The opening page asks for its launch token.
  | "message" // The partner service posted the callback message.
  | "returned" // The BFF's return page posted, or the sign-in came back through this tab.
  | "trouble" // One of the BFF's error pages posted.
  | "closed"
  | "focus" // The page is back: focused, visible, shown again, online.
  | "cancel" // The user gave up.
  | "cut_off" // The window has been out of reach from its first page on.
  | "interrupted" // The sign-in that took this tab has not come to an end.
  | "not_loading" // The window is there, and nothing is heard of its page.
  | "unsure" // The window seems gone while the user is here.
  | "waiting"; // None of these any more: the user signs in.

export interface Signals {
  /** Adds a signal or an answer, and wakes the flow. One that is queued already is not added again. */
  queueSignal: (signal: Signal | object) => void;
  /** The next of them, or undefined when `ms` milliseconds pass without one. */
  nextSignal: (ms: number) => Promise<Signal | object | undefined>;
}

/** A queue of signals for one flow. */
export function signals(): Signals {
  const waiting: (Signal | object)[] = [];
  let go: (() => void) | undefined;
  return {
    queueSignal(signal) {
      if (!waiting.includes(signal)) waiting.push(signal);
      go?.();
    },
    async nextSignal(ms) {
      if (!waiting.length) {
        let timer;
        await new Promise<void>((resolve) => {
          go = resolve;
          timer = setTimeout(resolve, ms);
        });
        clearTimeout(timer);
      }
      return waiting.shift();
    },
  };
}
