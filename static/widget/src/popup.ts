// A window: opened now, told its launch token later, listened to until it is disposed of.
import { whenRefused } from "./policy.js";
import { leave } from "./resume.js";
import { bffOrigin } from "./session.js";
import { signals, type Signal, type Signals } from "./signals.js";
import type { Attempt } from "./types.js";

/** What the BFF's pages say, as `hitchpost.{name}`. */
const SAID = ["ready", "returned", "trouble"] as const;

const TICK = 250;
/** So long (milliseconds) the window must seem gone, while the user is here, before we say so. */
const DOUBT = 2000;
/** The same while the user is elsewhere and the window has never said anything: it may be cut off from us. */
const SILENCE = 5000;
/** The same from the window's first page on, while the user is elsewhere: in that window, since the page cuts it off. */
const CUT = 750;
/** Leaving this page for another may take this much longer (milliseconds). */
const LEAVING = 8000;

/** The window of one attempt, and all that its flow listens to. */
export interface Popup extends Signals {
  /** True when the browser refused to open a window. */
  blocked: boolean;
  /** True where no window of this page's is signed in with: the sign-in takes this tab, or another page opened the window. */
  here: boolean;
  /** True once the page's own policy has kept this tab from going to the sign-in. */
  refused: boolean;
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
  let heard = false;
  let mood: Signal = "sure";

  const hear = ({ source, origin, data }: MessageEvent<unknown>): void => {
    if (source !== popup) return;
    if (origin === expected?.partner_origin && data === expected.callback_message) nudge("message");
    // The embedded partner service tells of trouble as the BFF's own pages do.
    const type = (origin === bff || origin === expected?.partner_origin) && (data as { type?: unknown } | null)?.type;
    for (const said of SAID) if (type === `hitchpost.${said}`) nudge(said);
    heard ||= !!type;
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
    const next = doubtSince ? moodAfter(now - doubtSince, here, !!popup && !heard) : "sure";
    if (next !== mood) nudge((mood = next));
  };

  addEventListener("message", hear, { signal: end.signal });
  for (const event of ["focus", "online", "pageshow", "visibilitychange"]) addEventListener(event, back, { signal: end.signal });
  const ticks = setInterval(look, TICK);
  // Without a name of its own: a name used twice would take over another flow's window.
  const popup = (url && open(url, "_blank", "popup,width=520,height=680")) as WindowProxy | null | undefined;

  const flow: Popup = {
    nudge,
    news,
    blocked: popup === null,
    here: !popup,
    refused: false,
    over: end.signal,
    launch(attempt) {
      expected = attempt;
      if (popup) {
        popup.postMessage({ type: "hitchpost.launch", token: attempt.launch_token }, bff);
      } else {
        doubtSince = Date.now() + LEAVING;
        whenRefused(() => { flow.refused = true; nudge("cancel"); });
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
  return flow;
}

/** What a window means that has seemed gone for so long, while the user is `here` or not, and may have been `mute` so far. */
function moodAfter(ms: number, here: boolean, mute: boolean): Signal {
  if (ms >= (here ? DOUBT : SILENCE)) return "unsure";
  if (here || !mute || ms < CUT) return "sure";
  console.error("Hitchpost: set Cross-Origin-Opener-Policy to same-origin-allow-popups, to reach popups");
  return "cut_off";
}
