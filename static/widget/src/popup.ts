// The popup of a sign-in: opened in the click, given its launch token later, watched until it is cleaned up.
import { logError } from "./log.js";
import { bffOrigin, settings } from "./session.js";
import { signals, type Signal, type Signals } from "./signals.js";
import type { Attempt, ConnectRequest } from "./types.js";

/** Milliseconds between checks of the popup. */
const TICK = 250;
/**
 * For how long (milliseconds) a sign-in must seem over before that is signalled. The time counts:
 * - for a popup: while it seems closed and this page has the focus; then the signal is `unsure`
 * - in this tab: while this page is back and has the focus; then it is `interrupted`
 * - for an existing attempt: from when the BFF has confirmed it, whatever has the focus; then it is `interrupted`
 */
const GONE_AFTER = 2000;
/**
 * How long (milliseconds) the popup must seem closed, without the focus on this page and without a message from the popup, before
 * the signal `cut_off`: the Cross-Origin-Opener-Policy of this page has cut the popup off.
 */
const CUT_OFF_AFTER = 750;
/** How long (milliseconds) the popup, or this tab, may take to load each of its first pages. A slow network needs several round trips. */
const LOADING_TIMEOUT = 8000;
/** The popup of a sign-in, or this tab in its place, and the signals that come from it. */
export interface SignInWindow extends Signals {
  /** Its window; null if the browser refused to open one; undefined if none was to be opened (see `openAndWatch`), or the BFF is not known. */
  windowProxy: WindowProxy | null | undefined;
  /** Set when the BFF has confirmed the launch; from the start if this tab leaves for it. From then on the user may take any time. */
  signInBegun: boolean;
  /** Truthy once the popup has posted the callback message. The page's own listeners have then heard it too. */
  messageHeard?: "message";
  /** Posts the launch token to the opening page, and accepts the attempt's callback message from now on. */
  launch: (attempt: Attempt) => void;
  /** Closes the window, and removes all listeners and timers. */
  cleanUp: () => void;
}

/** Opens a popup at the BFF's opening page. Call it inside a click. */
export function openSignIn({ connector, signal, locale = settings.locale ?? settings.lang ?? "" }: ConnectRequest): SignInWindow {
  // In a frame without a URL of its own (`about:...`) `location.origin` is "null". `self.origin` is its parent's there.
  const query = new URLSearchParams({ product: settings.product, origin: self.origin, connector, locale }) as unknown as string;
  return openAndWatch(!signal?.aborted && settings.base + "/connect/opening?" + query);
}

/**
 * Watches a sign-in. Opens a popup at `url` for it, after its listeners are in place: call it inside a click, with nothing awaited
 * before. Without `url` it opens none: `leave` sends this tab to the sign-in, or an existing attempt goes on, or the connector is unavailable.
 */
export function openAndWatch(url?: string | false, leave?: (attempt: Attempt) => void): SignInWindow {
  const { queueSignal, nextSignal } = signals(), bff = bffOrigin();
  let expected: Attempt | undefined, popup: WindowProxy | null | undefined;
  let openingPageLoaded = false; // Set when the opening page posts its first message. A sign-in in this tab has no such page: `launch` sets it.
  let loadingSince = Date.now();
  let goneSince = leave ? Infinity : 0; // A sign-in in this tab is not timed before `launch`, which sets the time to count from.
  let wasGone = false, lastSignal: Signal = "waiting";

  const onEvent = ({ type, source, origin, data }: MessageEvent<unknown>): void => {
    if (type === "pageshow") goneSince = 0; // The user came back to this tab: count from now.
    if (type !== "message") {
      if (!document.hidden) queueSignal("focus");
    } else if (source === popup) {
      if (origin === expected?.partner_origin && data === expected.callback_message) queueSignal((handle.messageHeard = "message"));
      const pageSignal = /^hitchpost\.(ready|returned|trouble)$/.exec((data as { type: string } | null)?.type as never)?.[1];
      // Only the BFF's pages may post these. `trouble` may come from the embedded partner service too.
      if (pageSignal && (origin === bff || (origin === expected?.partner_origin && pageSignal === "trouble"))) {
        openingPageLoaded = true;
        loadingSince = Infinity; // Until the launch: it waits for the attempt, not for the popup.
        queueSignal(pageSignal as Signal);
      }
    }
  };

  const checkWindow = (now = Date.now(), here = document.hasFocus()): void => {
    // Without a popup, only time shows whether the sign-in goes on: it counts once the BFF has confirmed an existing attempt.
    const mayHaveEnded = popup?.closed ?? handle.signInBegun;
    if (mayHaveEnded && popup && !wasGone) queueSignal("closed");
    wasGone = mayHaveEnded;
    goneSince = mayHaveEnded && (here || !openingPageLoaded) ? goneSince || now : 0;
    const goneFor = goneSince && now - goneSince;
    const next: Signal = goneSince && lastSignal === "cut_off" ? lastSignal // It stays: whether the popup is closed cannot be known.
      : goneFor >= GONE_AFTER ? (popup ? "unsure" : "interrupted")
      : goneFor >= CUT_OFF_AFTER && popup && !here && !openingPageLoaded ? "cut_off"
      : !mayHaveEnded && !handle.signInBegun && now - loadingSince >= LOADING_TIMEOUT ? "not_loading" : "waiting";
    if (next !== lastSignal) queueSignal((lastSignal = next));
  };

  // After these events the sign-in may have ended. Listeners are removed by hand: some libraries that wrap `addEventListener` drop its
  // `signal` option.
  const forEachEvent = (act: "addEventListener" | "removeEventListener"): void => { for (const name of ["message", "focus", "online", "pageshow", "visibilitychange"]) self[act](name, onEvent as EventListener); };
  forEachEvent("addEventListener");
  try {
    // `_blank`, because a reused name would take over another flow's popup. `?? null`, because a page may have replaced `open` by
    // a function that returns undefined.
    if (url && bff) popup = open(url, "_blank", "popup,width=520,height=680") ?? null;
  } catch (error) {
    logError(error); // Firefox throws in a frame whose sandbox allows no popups.
    popup = null;
  }
  const ticks = setInterval(checkWindow, TICK);

  const handle: SignInWindow = {
    queueSignal, nextSignal, signInBegun: !!leave, windowProxy: popup,
    launch(attempt) {
      expected = attempt;
      openingPageLoaded = true;
      loadingSince = Date.now();
      // Without a popup, count from when this tab's next page should have loaded.
      goneSince = popup ? 0 : loadingSince + LOADING_TIMEOUT;
      popup?.postMessage({ type: "hitchpost.launch", token: attempt.launch_token }, bff);
      leave?.(attempt);
    },
    cleanUp() {
      forEachEvent("removeEventListener");
      clearInterval(ticks);
      popup?.close(); // Has no effect, and throws nothing, if the popup is cut off from this page.
    },
  };
  return handle;
}
