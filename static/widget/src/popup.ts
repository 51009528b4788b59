// A window: opened now, told its launch token later, listened to until it is disposed of.
import { settings } from "./session.js";
import type { Attempt, Choice } from "./types.js";

/**
 * What can wake a flow. Each is a reason to look, never a verdict: a page that isolates itself in the popup makes
 * `closed` read true while the user still types, and any page may post a message.
 */
export type Signal =
  | Choice
  | "ready" // The opening page asks for its launch token.
  | "message" // The partner service posted the callback message.
  | "returned" // The BFF's return page posted.
  | "trouble" // One of the BFF's error pages posted.
  | "closed"
  | "focus" // The page came back: focus, visible, shown again, online.
  | "unsure" // The window seems gone while the user is here.
  | "sure"; // The user went elsewhere again.

const SIZE = "popup,width=520,height=680";
const TICK = 250;
const DOUBT = 2000;
const SILENCE = 3000;
const LEAVING = 10_000;

/** The popup of one flow, and all that the flow listens to. */
export class Popup {
  /** The next signal, or undefined when `ms` milliseconds passed without any. */
  private readonly queue_: Signal[] = [];
  private readonly end_ = new AbortController();
  private readonly timer_: ReturnType<typeof setInterval>;
  private readonly origin_ = new URL(settings.base, location.href).origin;
  private window_: Window | null = null;
  private attempt_: Attempt | undefined;
  private wake_: (() => void) | undefined;
  private gone_ = false;
  private unsure_ = false;
  private doubtSince_ = 0;
  private notBefore_ = 0;

  /** Listens from here on; nothing is open yet. */
  constructor(private readonly url_: string) {
    const on = { signal: this.end_.signal };
    const focus = (): void => {
      if (!document.hidden) this.push_("focus");
    };
    addEventListener("message", (event) => { this.hear_(event); }, on);
    for (const name of ["focus", "online", "pageshow"]) addEventListener(name, focus, on);
    document.addEventListener("visibilitychange", focus, on);
    this.timer_ = setInterval(() => { this.look_(); }, TICK);
  }
}
