// A window: opened now, told its launch token later, listened to until it is disposed of.
import { leave } from "./resume.js";
import { bffOrigin } from "./session.js";
import { signals, type Signals } from "./signals.js";
import type { Attempt } from "./types.js";

/** What the BFF's pages say, as `hitchpost.{name}`. */
const SAID = ["ready", "returned", "trouble"] as const;

const TICK = 250;
/** So long (milliseconds) the window must seem gone, while the user is here, before we say so. */
const DOUBT = 2000;
/** The same while the user is elsewhere and the window has never said anything: it may be cut off from us. */
const SILENCE = 5000;
/** Leaving this page for another may take this much longer (milliseconds). */
const LEAVING = 8000;

/** The window of one attempt, and all that its flow listens to. */
export interface Popup extends Signals {
  /** True when the browser refused to open a window. */
  blocked: boolean;
  /** Whether its window is closed, or seems so. */
  gone: () => boolean;
  /** Aborted when the flow is over. */
  over: AbortSignal;
  /** Hands over the launch token. From now on the attempt's callback message counts. */
  launch: (attempt: Attempt) => void;
  /** Brings the window to the front, where the browser lets us. */
  focus: () => void;
  /** Closes the window and forgets every listener and timer. */
  tidy: () => void;
}

/**
 * Opens a window at `url`, its listeners in place before. Call it inside a click, with nothing awaited before.
 * Without `url` there is none: the sign-in takes this tab, or another page opened the window.
 */
export function openPopup(url?: string): Popup {
  const { nudge, news } = signals();
  const end = new AbortController();
  const bff = bffOrigin();
  let expected: Attempt | undefined;
  let doubtSince = 0;
  let closed = false;
  let unsure = false;

  const hear = ({ source, origin, data }: MessageEvent<unknown>): void => {
    if (source !== popup) return;
    if (origin === expected?.partner_origin && data === expected.callback_message) nudge("message");
    // The embedded partner service tells of trouble as the BFF's own pages do.
    const type = (origin === bff || origin === expected?.partner_origin) && (data as { type?: unknown } | null)?.type;
    for (const name of SAID) if (type === `hitchpost.${name}`) nudge(name);
  };

  const back = ({ type }: Event): void => {
    if (type === "pageshow") doubtSince = 0;
    if (!document.hidden) nudge("focus");
  };

  const look = (): void => {
    const now = Date.now();
    const here = document.hasFocus();
    const gone = popup?.closed ?? true;
    if (popup && gone && !closed) nudge("closed");
    closed = gone;
    doubtSince = gone && (here || !expected) ? doubtSince || now : 0;
    const doubt = doubtSince > 0 && now - doubtSince >= (here ? DOUBT : SILENCE);
    if (doubt !== unsure) nudge(doubt ? "unsure" : "sure");
    unsure = doubt;
  };

  const options = { signal: end.signal };
  addEventListener("message", hear, options);
  for (const name of ["focus", "online", "pageshow", "visibilitychange"]) addEventListener(name, back, options);
  const ticks = setInterval(look, TICK);
  const popup = url ? openAt(url) : undefined;

  return {
    nudge,
    news,
    blocked: popup === null,
    gone: () => !!popup?.closed,
    over: end.signal,
    launch(attempt) {
      expected = attempt;
      if (popup) {
        popup.postMessage({ type: "hitchpost.launch", token: attempt.launch_token }, bff);
      } else {
        doubtSince = Date.now() + LEAVING;
        leave(attempt);
      }
    },
    focus: () => popup?.focus(),
    tidy() {
      end.abort();
      clearInterval(ticks);
      popup?.close(); // Does nothing, in silence, to a window that is isolated from us.
    },
  };
}

function openAt(url: string): WindowProxy | null {
  try {
    // Without a name of its own: a name used twice would take over another flow's window.
    return open(url, "_blank", "popup,width=520,height=680");
  } catch {
    return null; // So does Firefox refuse, in a frame whose sandbox allows no popups.
  }
}
