// A window: opened now, told its launch token later, listened to until it is disposed of.
import { leave } from "./resume.js";
import { settings } from "./session.js";
import { signals, type Signals } from "./signals.js";
import type { Attempt } from "./types.js";

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
  /** Aborted when the flow is over. */
  over: AbortSignal;
  /** Hands over the launch token. From now on the attempt's callback message counts. */
  launch: (attempt: Attempt) => void;
  /** Brings the window to the front, where the browser lets us. */
  focus: () => void;
  /** Closes the window and forgets every listener and timer. */
  dispose: () => void;
}

/**
 * Opens a window at `url`, its listeners in place before. Call it inside a click, with nothing awaited before.
 * Without `url` there is none: the sign-in takes this tab, or another page opened the window.
 */
export function openPopup(url?: string): Popup {
  const { push, next } = signals();
  const end = new AbortController();
  const bff = new URL(settings.base, location.href).origin;
  let expected: Attempt | undefined;
  let doubtSince = 0;
  let closed = false;
  let unsure = false;

  addAll(end.signal, hear, (event) => {
    if (event.type === "pageshow") doubtSince = 0;
    if (!document.hidden) push("focus");
  });
  const ticks = setInterval(look, TICK);
  // The name is this window's alone: a name used twice would take over another flow's window.
  const name = `hitchpost-${Math.random()}`;
  const popup = url && open(url, name, `popup,width=520,height=680,left=${screenX + (outerWidth - 520) / 2}`);

  function hear({ source, origin, data }: MessageEvent<unknown>): void {
    if (!popup || source !== popup) return;
    if (origin === expected?.partner_origin && data === expected.callback_message) push("message");
    if (origin !== bff) return;
    const type = (data as { type?: unknown } | null)?.type;
    for (const signal of ["ready", "returned", "trouble"] as const) {
      if (type === `hitchpost.${signal}`) push(signal);
    }
  }

  function look(): void {
    const now = Date.now();
    if (popup && popup.closed && !closed) push("closed");
    closed = !popup || popup.closed;
    const here = document.hasFocus();
    doubtSince = closed && (here || !expected) ? doubtSince || now : 0;
    const doubt = doubtSince > 0 && now - doubtSince >= (here ? DOUBT : SILENCE);
    if (doubt !== unsure) push(doubt ? "unsure" : "sure");
    unsure = doubt;
  }

  return {
    push,
    next,
    blocked: popup === null,
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
    focus() {
      if (popup) popup.focus();
    },
    dispose() {
      end.abort();
      clearInterval(ticks);
      if (popup) popup.close(); // Does nothing, in silence, to a window that is isolated from us.
    },
  };
}

function addAll(signal: AbortSignal, hear: (event: MessageEvent<unknown>) => void, back: (event: Event) => void): void {
  const options = { signal };
  addEventListener("message", hear, options);
  for (const name of ["focus", "online", "pageshow"]) addEventListener(name, back, options);
  document.addEventListener("visibilitychange", back, options);
}
