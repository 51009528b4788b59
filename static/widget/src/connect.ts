// One flow, from the click to its end.
import { cancel, read } from "./bff.js";
import { logError } from "./log.js";
import { ConnectError, errorOf, isPassing } from "./errors.js";
import type { Popup } from "./popup.js";
import type { ConnectRequest } from "./flow.js";
import { settings } from "./session.js";
import type { Signal } from "./signals.js";
import type { Attempt, AttemptRequest, ConnectResult, Reading, Step } from "./types.js";

// Milliseconds between polls: after a signal, then growing up to a maximum.
const AFTER_SIGNAL = 250;
const FIRST_DELAY = 1000;
const DELAY_GROWTH = 4;
const MAX_DELAY = 5000;
/** The maximum while the window can be reached: its message or its closing will wake the flow. */
const MAX_DELAY_WITH_WINDOW = 13_000;
/** How long (milliseconds) after a signal the delay stays at most `FIRST_DELAY`. */
const ALERT_FOR = 15_000;
/** Timeout (milliseconds) for beginning the attempt. */
const BEGIN_TIMEOUT = 30_000;
/** With no answer for so long (milliseconds) the attempt has expired at the server. */
const OFFLINE_TIMEOUT = 900_000;

/** Signals with the step `finishing`; signals without a step. Any other is a step of the same name. */
const FINAL = /message|returned|cancel/;
const SILENT = /ready|trouble|closed|focus/;

/** An attempt. Of one that another page of this tab began, or that an acceptance made, only the id is known. */
export type StartedAttempt = Pick<Attempt, "id"> & Partial<Attempt>;

/** Receives each step. */
export type Tell = (step: Step, attempt?: string) => void;

/** What a flow knows so far. */
interface FlowState {
  attempt?: StartedAttempt | undefined;
  /** Whether the BFF has confirmed that the attempt is this user's. */
  known: boolean;
}

/**
 * Runs one sign-in. Its popup is open already: nothing may be awaited between a click and `open`.
 *
 * @param abort - cancels the attempt when aborted
 * @param tell - receives each step
 * @param popup - the window, or this tab
 * @param begin - makes the attempt, and another one when the user begins again in the same window
 * @param begun - an attempt to go on with, in place of a new one
 * @returns the result, when the server says `connected`
 * @throws ConnectError on every other ending
 */
export async function connect(
  abort: AbortSignal | undefined,
  tell: Tell,
  popup: Popup,
  begin: () => Promise<Attempt>,
  begun?: StartedAttempt | Promise<StartedAttempt>,
): Promise<ConnectResult> {
  const giveUp = (): void => { popup.queueSignal("cancel"); };
  const state: FlowState = { known: !begun };
  try {
    if (popup.shown === null) throw new ConnectError("popup_blocked");
    abort?.addEventListener("abort", giveUp);
    if (abort?.aborted) giveUp();
    if (!begun) tell("opening");
    return await waitForEnd(state, tell, popup, begin, begun);
  } catch (error) {
    const failure = error instanceof ConnectError ? error : new ConnectError("invalid_request", logError(error));
    failure.attempt = state.attempt?.id;
    failure.supportCode = state.attempt?.support_code;
    throw failure;
  } finally {
    abort?.removeEventListener("abort", giveUp);
    popup.cleanUp();
  }
}

/** The body of `POST /v1/attempts`. */
export const requestOf = ({ connector, connection, message, locale = settings.locale }: ConnectRequest): AttemptRequest =>
  ({ connector, connection, message, locale, product: settings.product });

/**
 * Polls after each signal, and from time to time, until the server says how the attempt ended. Answers come through the
 * same queue as signals, so a call that hangs holds up nothing. An attempt `begun` elsewhere may be another user's: no
 * step is reported until the server has confirmed that it is not.
 */
async function waitForEnd(state: FlowState, tell: Tell, popup: Popup, begin: () => Promise<Attempt>, begun?: StartedAttempt | Promise<StartedAttempt>): Promise<ConnectResult> {
  let launched = false;
  let cancelling = false;
  let finalHint: Signal | undefined;
  let pending = 0;
  let lastAnswerAt = Date.now();
  let delay = FIRST_DELAY;
  let reachable = !begun;
  let alertUntil = 0;
  /** Signals that came before the attempt did. */
  const queued: Signal[] = begun ? ["returned"] : [];

  const track = (answer: Promise<StartedAttempt | Reading>): void => {
    pending++;
    answer.then(popup.queueSignal, popup.queueSignal);
  };
  const setAttempt = async (coming: StartedAttempt | Promise<StartedAttempt>): Promise<StartedAttempt> => {
    state.attempt = await coming;
    queued.splice(0).forEach(popup.queueSignal);
    return state.attempt;
  };

  track(setAttempt(begun ?? begin()));
  for (;;) {
    const signal = await popup.nextSignal(!pending ? delay : state.attempt ? MAX_DELAY : FIRST_DELAY);
    const { attempt } = state;
    const id = attempt?.id;
    if (typeof signal === "object") {
      pending--;
      if (!(signal instanceof Error)) lastAnswerAt = Date.now();
      const result = handleAnswer(signal, state, tell, popup);
      if (result) return result;
      continue;
    }
    if (Date.now() - lastAnswerAt > (attempt ? OFFLINE_TIMEOUT : BEGIN_TIMEOUT)) throw new ConnectError("network");
    const step = FINAL.test(signal as string) ? "finishing" : !signal || SILENT.test(signal) ? undefined : (signal as Step);
    if (step) {
      reachable = step === "waiting";
      if (state.known) tell(step, id);
    }
    cancelling ||= signal === "cancel";
    if (!attempt) {
      if (signal) queued.push(signal);
      // If the attempt still comes, nobody launches it, and it expires.
      else if (cancelling) throw new ConnectError("cancelled");
    } else if (signal === "ready") {
      // A second `ready`: the user went back to the first page. Queued again, it launches the new attempt.
      launched = !launched;
      if (launched) {
        popup.launch(attempt as Attempt);
        tell("launched", id);
        tell("waiting", id);
      } else {
        state.attempt = undefined;
        queued.push(signal);
        track(setAttempt(beginAgain(attempt.id, begin)));
      }
    } else {
      if (step === "finishing") finalHint = signal; // The hint of all further polls.
      // Without the focus, a window that seems closed has most likely only been cut off from this page.
      if (signal && document.hasFocus()) alertUntil = Date.now() + ALERT_FOR;
      delay = signal ? AFTER_SIGNAL : Math.min(delay * DELAY_GROWTH, Date.now() < alertUntil ? FIRST_DELAY : reachable ? MAX_DELAY_WITH_WINDOW : MAX_DELAY);
      track(cancelling ? cancel(attempt.id) : read(attempt.id, finalHint ?? signal));
    }
  }
}

/** Handles an answer: returns the result of a connected attempt, throws if it ended otherwise. */
function handleAnswer(answer: Partial<Reading> | ConnectError, state: FlowState, tell: Tell, popup: Popup): ConnectResult | undefined {
  const { attempt } = state;
  if (answer instanceof Error) {
    if (attempt && isPassing(answer)) return undefined;
    throw answer;
  }
  const { id, status } = answer;
  // An answer about an attempt that another one has replaced is ignored.
  if (!attempt || !status || id !== attempt.id) return undefined;
  attempt.support_code = (answer as Reading).support_code;
  if (!state.known) tell("waiting", id);
  state.known = true;
  if (status !== "created") popup.begun = true;
  if (!/created|launched/.test(status)) return outcome(answer as Reading); // The others are final.
  if (answer.step) tell(answer.step, id);
  return undefined;
}

/** The user went back to the window's first page: begins another attempt, unless the first one has connected. */
async function beginAgain(id: string, begin: () => Promise<Attempt>): Promise<StartedAttempt> {
  const reading = await cancel(id);
  return reading.status === "cancelled" ? begin() : reading;
}

function outcome(reading: Reading): ConnectResult {
  if (reading.status !== "connected") throw errorOf(reading);
  // The page may listen for this plain message, which no window could post.
  if (reading.unsent) dispatchEvent(new MessageEvent("message", reading.unsent));
  return reading.result;
}
