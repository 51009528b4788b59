// A window: opened now, told its launch token later, listened to until it is disposed of.
import { complain } from "./complain.js";
import { bffOrigin } from "./session.js";
import { signals, type Signal, type Signals } from "./signals.js";
import type { Attempt } from "./types.js";

/** What the BFF's pages say. */
const SAID = /^hitchpost\.(ready|returned|trouble)$/;

const TICK = 250;
/** So long (milliseconds) the window must seem gone, while the user is here, before we say so. */
const DOUBT = 2000;
/** The same while the user is elsewhere, and the window has never said anything: in that window, since the page cuts it off. */
const CUT = 750;
/** So long (milliseconds) a window, or this tab, may take for each of its first pages: a slow network has to greet the BFF first. */
const LOADING = 8000;
/** What happens to a page that may be news of its windows. */
const EVENTS = "message focus online pageshow visibilitychange".split(" ");

/** The window of one attempt, and all that its flow listens to. */
export interface Popup extends Signals {
  /** Its window; null when the browser refused to open one, undefined where the sign-in takes this tab. */
  shown: WindowProxy | null | undefined;
  /** Set once the sign-in has begun in the window: from then on its silence is the user's. */
  begun: boolean;
  /** Hands over the launch token. From now on the attempt's callback message counts. */
  launch: (attempt: Attempt) => void;
  /** Closes the window and forgets every listener and timer. */
  tidy: () => void;
}

/**
 * Opens a window at `url`, its listeners in place before. Call it inside a click, with nothing awaited before.
 * Without `url` there is none: the sign-in takes this tab, by `leave`, or another page opened the window.
 */
export function openPopup(url?: string, leave?: (attempt: Attempt) => void): Popup {
  const { nudge, news } = signals();
  const bff = bffOrigin();
  let expected: Attempt | undefined;
  let heard = false;
  let quietSince = Date.now();
  let doubtSince = 0;
  let closed = false;
  let mood: Signal = "waiting";

  const hear = ({ type, source, origin, data }: MessageEvent<unknown>): void => {
    if (type === "pageshow") doubtSince = 0;
    if (type !== "message") {
      if (!document.hidden) nudge("focus");
    } else if (source === popup) {
      if (origin === expected?.partner_origin && data === expected.callback_message) nudge("message");
      const said = SAID.exec((data as { type: string } | null)?.type ?? "")?.[1];
      // The embedded partner service tells of trouble, as the BFF's own pages do, and of nothing else.
      if (said && (origin === bff || (origin === expected?.partner_origin && said === "trouble"))) {
        heard = true;
        nudge(said as Signal);
      }
    }
  };

  const look = (): void => {
    const now = Date.now();
    const here = document.hasFocus();
    const gone = popup?.closed ?? true;
    if (popup && gone && !closed) nudge("closed");
    closed = gone;
    doubtSince = gone && (here || !heard) ? doubtSince || now : 0;
    const doubt = doubtSince && now - doubtSince;
    const next: Signal = doubtSince && mood === "cut_off" ? mood // What is known is not taken back for a guess.
      : doubt >= DOUBT ? (popup ? "unsure" : "interrupted")
      : doubt >= CUT && popup && !here && !heard ? "cut_off"
      : !gone && !flow.begun && now - quietSince >= LOADING ? "not_loading" : "waiting";
    if (next !== mood) nudge((mood = next));
  };

  listen("addEventListener", hear);
  const popup = url && bff ? openAt(url) : undefined;
  const ticks = setInterval(look, TICK);

  const flow: Popup = {
    nudge,
    news,
    begun: !url,
    shown: popup,
    launch(attempt) {
      expected = attempt;
      heard = true;
      quietSince = Date.now();
      doubtSince = popup ? 0 : quietSince + LOADING;
      popup?.postMessage({ type: "hitchpost.launch", token: attempt.launch_token }, bff);
      leave?.(attempt);
    },
    tidy() {
      listen("removeEventListener", hear);
      clearInterval(ticks);
      popup?.close(); // Does nothing, in silence, to a window that is isolated from us.
    },
  };
  return flow;
}

function openAt(url: string): WindowProxy | null {
  try {
    // Without a name of its own: a name used twice would take over another flow's window. Nothing is no window either.
    return open(url, "_blank", "popup,width=520,height=680") ?? null;
  } catch (error) {
    complain(error); // Firefox throws in a frame whose sandbox allows no popups, and the page's own function may.
    return null;
  }
}

// Some libraries that wrap `addEventListener` know no `signal` that ends the listening.
function listen(act: "addEventListener" | "removeEventListener", hear: (event: MessageEvent<unknown>) => void): void {
  for (const name of EVENTS) self[act](name, hear as EventListener);
}
