// A popup: opened in the click, given its launch token later, listened to until it is cleaned up.
import { logError } from "./log.js";
import { bffOrigin } from "./session.js";
import { signals, type Signal, type Signals } from "./signals.js";
import type { Attempt } from "./types.js";

/** Messages of the BFF's pages. */
const PAGE_SIGNAL = /^hitchpost\.(ready|returned|trouble)$/;

/** Milliseconds between checks of the window. */
const TICK = 250;
/** How long (milliseconds) the window must seem gone, with the focus on this page, before the flow is `unsure`. */
const GONE_AFTER = 2000;
/** The same without the focus, if the window never sent a message: this page's policy cuts it off (`cut_off`). */
const CUT_OFF_AFTER = 750;
/** How long (milliseconds) a window, or this tab, may take to load each of its first pages. A slow network needs several round trips. */
const LOADING_TIMEOUT = 8000;
/** Events of this page after which the window may have changed. */
const EVENTS = "message focus online pageshow visibilitychange".split(" ");

/** The window of one attempt, and the signals of its flow. */
export interface Popup extends Signals {
  /** Its window; null when the browser refused to open one, undefined where the sign-in takes this tab. */
  shown: WindowProxy | null | undefined;
  /** Set once the sign-in has begun in the window. After that the user may take any time. */
  begun: boolean;
  /** Hands over the launch token, and accepts the attempt's callback message from now on. */
  launch: (attempt: Attempt) => void;
  /** Closes the window, and removes all listeners and timers. */
  cleanUp: () => void;
}

/**
 * Opens a window at `url`, after its listeners are in place. Call it inside a click, with nothing awaited before.
 * Without `url` there is no window: `leave` sends this tab to the sign-in, or another page opened the window.
 */
export function openPopup(url?: string, leave?: (attempt: Attempt) => void): Popup {
  const { queueSignal, nextSignal } = signals();
  const bff = bffOrigin();
  let expected: Attempt | undefined;
  let hasPosted = false;
  let quietSince = Date.now();
  let goneSince = 0;
  let closed = false;
  let lastSignal: Signal = "waiting";

  const onEvent = ({ type, source, origin, data }: MessageEvent<unknown>): void => {
    if (type === "pageshow") goneSince = 0;
    if (type !== "message") {
      if (!document.hidden) queueSignal("focus");
    } else if (source === popup) {
      if (origin === expected?.partner_origin && data === expected.callback_message) queueSignal("message");
      const pageSignal = PAGE_SIGNAL.exec((data as { type: string } | null)?.type ?? "")?.[1];
      // Of these signals, the embedded partner service posts `trouble` too, and no other.
      if (pageSignal && (origin === bff || (origin === expected?.partner_origin && pageSignal === "trouble"))) {
        hasPosted = true;
        queueSignal(pageSignal as Signal);
      }
    }
  };

  const checkWindow = (): void => {
    const now = Date.now();
    const here = document.hasFocus();
    const gone = popup?.closed ?? true;
    if (popup && gone && !closed) queueSignal("closed");
    closed = gone;
    goneSince = gone && (here || !hasPosted) ? goneSince || now : 0;
    const goneFor = goneSince && now - goneSince;
    const next: Signal = goneSince && lastSignal === "cut_off" ? lastSignal // Stays: `unsure` would be a guess.
      : goneFor >= GONE_AFTER ? (popup ? "unsure" : "interrupted")
      : goneFor >= CUT_OFF_AFTER && popup && !here && !hasPosted ? "cut_off"
      : !gone && !flow.begun && now - quietSince >= LOADING_TIMEOUT ? "not_loading" : "waiting";
    if (next !== lastSignal) queueSignal((lastSignal = next));
  };

  listen("addEventListener", onEvent);
  const popup = url && bff ? openAt(url) : undefined;
  const ticks = setInterval(checkWindow, TICK);

  const flow: Popup = {
    queueSignal,
    nextSignal,
    begun: !url,
    shown: popup,
    launch(attempt) {
      expected = attempt;
      hasPosted = true;
      quietSince = Date.now();
      // Without a window this tab counts as gone only once its next page has had the time to load.
      goneSince = popup ? 0 : quietSince + LOADING_TIMEOUT;
      popup?.postMessage({ type: "hitchpost.launch", token: attempt.launch_token }, bff);
      leave?.(attempt);
    },
    cleanUp() {
      listen("removeEventListener", onEvent);
      clearInterval(ticks);
      popup?.close(); // Silently does nothing to a window that is isolated from this page.
    },
  };
  return flow;
}

function openAt(url: string): WindowProxy | null {
  try {
    // Without a name: a reused name would take over another flow's window. A page's own `open` may return undefined.
    return open(url, "_blank", "popup,width=520,height=680") ?? null;
  } catch (error) {
    logError(error); // Firefox throws in a frame whose sandbox allows no popups; a page's own `open` may too.
    return null;
  }
}

// Not by an AbortSignal: some libraries that wrap `addEventListener` drop it.
function listen(act: "addEventListener" | "removeEventListener", onEvent: (event: MessageEvent<unknown>) => void): void {
  for (const name of EVENTS) self[act](name, onEvent as EventListener);
}
