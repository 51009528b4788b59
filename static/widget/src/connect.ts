// The whole flow, from the click to its end.
import { cancel, read } from "./bff.js";
import { ConnectError } from "./errors.js";
import type { Popup } from "./popup.js";
import type { Wish } from "./flow.js";
import { remember, type Remembered } from "./resume.js";
import type { Signal } from "./signals.js";
import type { Attempt, AttemptRequest, Channel, ConnectResult, Reading, Step } from "./types.js";

const BRISK = 250;
const FIRST = 1000;
const GROWTH = 1.5;
const SLOWEST = 5000;
/** With no answer for so long (milliseconds) the server has given up the attempt by itself. */
const GIVE_UP = 900_000;

/** Statuses that are not final. */
const LIVE: readonly string[] = ["created", "launched"];

/** Signals that the BFF is told of. */
const HINTS: readonly Channel[] = ["message", "returned", "closed", "focus"];

/** What a signal means to the user. */
const STEPS: Partial<Record<Signal, Step>> = {
  sure: "waiting",
  unsure: "unsure",
  message: "finishing",
  returned: "finishing",
  cancel: "finishing",
};

/** Told each step. */
export type Tell = (step: Step, attempt?: string) => void;

/**
 * One sign-in, its popup opened already: nothing may be awaited between a click and its window.
 * `begin` gives the attempt; but `id` is given when another page of this tab began it, and this one goes on with it.
 * Resolves when the server says `connected`; rejects with a `ConnectError` on every other ending.
 */
export async function connect(
  wish: Wish,
  tell: Tell,
  popup: Popup,
  begin: (request: AttemptRequest) => Promise<Attempt>,
  id?: string,
): Promise<ConnectResult> {
  const { signal, connector } = wish;
  let attempt: Attempt | undefined;
  try {
    if (popup.blocked) throw new ConnectError("popup_blocked");
    const giveUp = (): void => { popup.push("cancel"); };
    signal?.addEventListener("abort", giveUp, { signal: popup.over });
    if (signal?.aborted) giveUp();
    if (id) {
      popup.push("returned");
    } else {
      tell("opening");
      attempt = await begin(requestOf(wish));
      id = attempt.id;
      if (wish.delivery === "return") popup.push("ready"); // This tab is its own window.
    }
    return await watch({ id, connector }, attempt, tell, popup);
  } catch (error) {
    const told = error as ConnectError;
    told.attempt = id;
    told.supportCode ??= attempt?.support_code;
    throw error;
  } finally {
    remember();
    popup.dispose();
  }
}

/** What to ask of the BFF for this sign-in. */
export function requestOf({ connector, message, locale, delivery }: Wish): AttemptRequest {
  return { connector, message, locale, delivery, return_url: delivery === "return" ? location.href : undefined };
}

/** Asks after every signal, and from time to time, until the server says how it ended. */
async function watch(entry: Remembered, attempt: Attempt | undefined, tell: Tell, popup: Popup): Promise<ConnectResult> {
  const { id } = entry;
  let launched = !attempt;
  let cancelling = false;
  let told: Channel | undefined;
  let delay = FIRST;
  let answered = Date.now();
  for (;;) {
    const signal = await popup.next(delay);
    if (signal === "ready" && attempt && !launched) {
      launched = true;
      popup.launch(attempt);
      remember(entry);
      tell("launched", id);
      tell("waiting", id);
      continue;
    }
    const step = signal && STEPS[signal];
    if (step) tell(step, id);
    if (signal === "cancel") cancelling = true;
    const hint = told ?? HINTS.find((name) => name === signal);
    if (signal === "message" || signal === "returned") told = hint; // It stays the hint until the end is read.
    delay = signal ? BRISK : Math.min(delay * GROWTH, SLOWEST);
    try {
      const reading = await (cancelling ? cancel(id) : read(id, hint));
      if (!LIVE.includes(reading.status)) return outcome(reading, hint ?? "poll");
      // The opening page was loaded once more before it had used its token.
      if (signal === "ready" && attempt && reading.status === "created") popup.launch(attempt);
      answered = Date.now();
    } catch (error) {
      const { retryIn_ } = error as ConnectError;
      if (retryIn_ === undefined || Date.now() - answered > GIVE_UP) throw error;
      await new Promise((resume) => setTimeout(resume, retryIn_));
    }
  }
}

function outcome(reading: Reading, channel: Channel): ConnectResult {
  const { id, status, connector, connection, message, receipt, error, support_code: supportCode } = reading;
  if (status === "connected") return { status, attempt: id, connector, connection, message, receipt, channel, supportCode };
  const failure = new ConnectError(error?.code ?? (status as "failed"), error?.title, error?.next_step);
  failure.supportCode = supportCode;
  throw failure;
}
