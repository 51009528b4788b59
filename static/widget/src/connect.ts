// The whole flow, from the click to its end.
import { cancel, read } from "./bff.js";
import { ConnectError, errorOf, isPassing } from "./errors.js";
import type { Popup } from "./popup.js";
import type { Wish } from "./flow.js";
import { recall, remember } from "./resume.js";
import { settings } from "./session.js";
import type { Signal } from "./signals.js";
import type { Attempt, AttemptRequest, Channel, ConnectResult, Reading, Step } from "./types.js";

const BRISK = 250;
const FIRST = 1000;
const GROWTH = 2;
const SLOWEST = 5000;
/** For so long (milliseconds) after news the waiting never gets slower than `FIRST`: more may follow. */
const EAGER = 15_000;

/** What a signal means to the user. */
const STEPS: Partial<Record<Signal, Step>> = {
  sure: "waiting",
  unsure: "unsure",
  message: "finishing",
  returned: "finishing",
  cancel: "finishing",
};

/** An attempt of which another page of this tab, or the BFF's acceptance, may tell no more than the id. */
export type Begun = Pick<Attempt, "id"> & Partial<Attempt>;

/** Told each step. */
export type Tell = (step: Step, attempt?: string) => void;

/**
 * One sign-in, its popup opened already: nothing may be awaited between a click and its window.
 * `begin` gives the attempt; but `begun` is one that was begun already, and this page goes on with it.
 * Resolves when the server says `connected`; rejects with a `ConnectError` on every other ending.
 */
export async function connect(
  wish: Wish,
  tell: Tell,
  popup: Popup,
  begin: (request: AttemptRequest, pressed: true) => Promise<Attempt>,
  begun?: Begun | Promise<Begun>,
): Promise<ConnectResult> {
  const { signal, connector } = wish;
  let attempt: Begun | undefined;
  try {
    if (popup.blocked) throw new ConnectError("popup_blocked");
    const giveUp = (): void => { popup.nudge("cancel"); };
    signal?.addEventListener("abort", giveUp, { signal: popup.over });
    if (signal?.aborted) giveUp();
    if (!begun) tell("opening");
    attempt = await (begun ?? begin(requestOf(wish), true));
    if (begun) popup.nudge("returned");
    else if (wish.delivery === "return") popup.nudge("ready"); // This tab is its own window.
    return outcome(attempt, ...(await watch(connector, attempt, tell, popup)));
  } catch (error) {
    (error as ConnectError).attempt = attempt?.id;
    (error as ConnectError).supportCode ??= attempt?.support_code;
    throw error;
  } finally {
    if (recall()?.id === attempt?.id) remember(); // Another flow may be remembered by now.
    popup.tidy();
  }
}

/** What to ask of the BFF for this sign-in. */
export function requestOf({ connector, message, locale = settings.locale, delivery }: Wish): AttemptRequest {
  // What is the default goes unsaid: else an attempt that was made before the BFF told it would not be the one asked for.
  // eslint-disable-next-line @typescript-eslint/prefer-nullish-coalescing -- an empty one names none
  return { connector, message, locale: locale || undefined, ...(delivery === "return" && { delivery, return_url: location.href }) };
}

/** Asks after every signal, and from time to time, until the server says how it ended; with the signal that told. */
async function watch(connector: string, attempt: Begun, tell: Tell, popup: Popup): Promise<[Reading, Channel]> {
  const { id } = attempt;
  let cancelling = false;
  let told: Channel | undefined;
  let delay = FIRST;
  let eagerUntil = 0;
  let answered = Date.now();
  for (;;) {
    const signal = await popup.news(delay);
    if (signal === "ready") {
      popup.launch(attempt as Attempt); // Again, should the opening page be loaded once more: it then says what is wrong.
      remember({ id, connector });
      tell("launched", id);
      tell("waiting", id);
      continue;
    }
    const step = STEPS[signal as Signal]; // None without a signal.
    if (step) tell(step, id);
    if (signal === "cancel") cancelling = true;
    // Of these the BFF is told.
    const hint = told ?? (["message", "returned", "trouble", "closed", "focus"] as const).find((name) => name === signal);
    if (step === "finishing") told = hint; // It stays the hint until the end is read.
    // While the user is elsewhere, a window that seems closed is only cut off, most likely: no reason to hurry.
    if (signal && document.hasFocus()) eagerUntil = Date.now() + EAGER;
    delay = signal ? BRISK : Math.min(delay * GROWTH, Date.now() < eagerUntil ? FIRST : SLOWEST);
    try {
      const reading = await (cancelling ? cancel(id) : read(id, hint));
      if (!/created|launched/.test(reading.status)) return [reading, hint ?? "poll"]; // The others are final.
      answered = Date.now();
    } catch (error) {
      // With no answer for so long (milliseconds) the server has given up the attempt by itself.
      if (!isPassing(error as ConnectError) || Date.now() - answered > 900_000) throw error;
    }
  }
}

function outcome({ callback_message: data, partner_origin: origin }: Begun, reading: Reading, channel: Channel): ConnectResult {
  const { id, status, connector, connection, message, attributed, receipt, unsent, support_code: supportCode } = reading;
  if (status === "connected") {
    // The page may listen for its own text (a sealed one is nothing to it): no window has posted it, or none could.
    const missed = unsent ?? (data === message && channel !== "message" && { data, origin });
    if (missed) dispatchEvent(new MessageEvent("message", missed as MessageEventInit));
    return { status, attempt: id, connector, connection, message, attributed: !!attributed, receipt, channel, supportCode };
  }
  const failure = errorOf(reading);
  failure.supportCode = supportCode;
  throw failure;
}
