// Hears the popup of an earlier page.
import type { SignInWindow } from "./popup.js";
import type { Reading } from "./types.js";

/**
 * Makes a `SignInWindow` that has no popup hear the callback message, too. A popup that an earlier page of this tab opened may still post
 * it here, where the page's own listeners hear it. A plain one must then not be dispatched as well (sign-in.ts).
 */
export function hearEarlierPopup(signInWindow: SignInWindow): SignInWindow {
  const { nextSignal, cleanUp } = signInWindow;
  const heard = new Set<string>();
  // Not what the widget has dispatched for another attempt. The popup of another flow may post the same text: the page then hears it once
  // for both. Firefox gives no `source` once the page that posted is gone.
  const onMessage = ({ isTrusted, origin, data }: MessageEvent<unknown>): void => { if (isTrusted && typeof data === "string") heard.add(`${origin} ${data}`); };
  addEventListener("message", onMessage);
  return Object.assign(signInWindow, {
    async nextSignal(ms?: number) {
      const signal = await nextSignal(ms);
      const { unsent } = (signal ?? {}) as Partial<Reading>;
      if (unsent && heard.has(`${unsent.origin} ${unsent.data}`)) signInWindow.messageHeard = "message";
      return signal;
    },
    cleanUp() {
      removeEventListener("message", onMessage);
      cleanUp();
    },
  });
}
