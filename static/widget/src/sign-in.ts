// One sign-in: from the click, or from an existing attempt, until the BFF reports how it ended.
import { call, cancel } from "./bff.js";
import { logError } from "./log.js";
import { ConnectError, errorOf, TEMPORARY_CODES } from "./errors.js";
import type { SignInWindow } from "./popup.js";
import { settings, userEpoch } from "./session.js";
import type { Signal } from "./signals.js";
import type { Attempt, AttemptRequest, ConnectRequest, ConnectResult, Reading, Step } from "./types.js";

/** The delay (milliseconds) before the next read of the status after one that a signal caused. It then grows up to a maximum. */
const DELAY_AFTER_SIGNAL = 250;
/** The first delay, and the longest one while the widget reads often (`FAST_READING_TIME`). */
const FAST_DELAY = 1000;
/** The factor by which the delay grows. */
const DELAY_GROWTH = 4;
/** The maximum of the delay. */
const MAX_DELAY = 5000;
/** The maximum while the popup can be reached: a message or its closing will then wake the flow. */
const MAX_DELAY_WITH_POPUP = 13_000;
/** How long (milliseconds) after a signal the delay does not exceed `FAST_DELAY`. */
const FAST_READING_TIME = 15_000;
/**
 * Timeout (milliseconds) for beginning the attempt. This and the next are compared with the sum of the delays, not with the clock:
 * the clock also advances while the machine sleeps or the tab is frozen, and jumps when it is set, though no call has failed.
 */
const BEGIN_TIMEOUT = 30_000;
/** After delays of this sum (milliseconds) without an answer, the flow ends with `network`: the attempt will have expired, or expires soon. */
const OFFLINE_TIMEOUT = 840_000;

/** An attempt. If another page of this tab began it, only its id is known. One that `use_account` made (draw-panel.ts) has no launch token. */
export type StartedAttempt = Pick<Attempt, "id"> & Partial<Attempt & Reading>;

/** Reports a step to the page. */
export type ReportStep = (step: Step, attempt?: string) => void;

/** What is known of a sign-in so far. */
interface SignInState {
  currentAttempt?: StartedAttempt | undefined;
  /** Whether the BFF has confirmed that the attempt is this user's. */
  confirmed: boolean;
}

/**
 * Runs one sign-in. The popup is open already, because nothing may be awaited between a click and `open`.
 *
 * @param abort - cancels the attempt when aborted
 * @param report - reports each step
 * @param popup - the popup, or this tab
 * @param begin - makes the attempt, and another one if the user begins again in the same popup
 * @param existing - an attempt to go on with, in place of a new one
 * @returns the result of a connected attempt
 * @throws ConnectError on every other ending
 */
export async function runSignIn(
  abort: AbortSignal | undefined,
  report: ReportStep,
  popup: SignInWindow,
  begin: () => Promise<Attempt>,
  existing?: StartedAttempt | Promise<StartedAttempt>,
): Promise<ConnectResult> {
  const giveUp = (): void => { popup.queueSignal("cancel"); };
  const state: SignInState = { confirmed: !existing };
  try {
    if (popup.windowProxy === null) throw new ConnectError("popup_blocked");
    if (abort?.aborted) throw new ConnectError("cancelled");
    abort?.addEventListener("abort", giveUp);
    if (!existing) report("opening");
    return await waitForEnd(state, report, popup, begin, existing);
  } catch (error) {
    const failure = error instanceof ConnectError ? error : new ConnectError("invalid_request", logError(error));
    const { id: attempt, support_code: supportCode, may_accept: mayAccept } = state.currentAttempt ?? {};
    throw Object.assign(failure, { attempt, supportCode, mayAccept });
  } finally {
    abort?.removeEventListener("abort", giveUp);
    popup.cleanUp();
  }
}

/** The body of `POST /v1/attempts`. */
export const bodyOf = ({ connector, connection, message, locale = settings.locale }: ConnectRequest): AttemptRequest =>
  ({ connector, connection, message, locale, product: settings.product });

/**
 * Reads the status after each signal, and from time to time, until the BFF reports how the attempt ended. Answers come through the
 * same queue as signals, so a call that hangs delays nothing else. An `existing` attempt may be another user's: no step is
 * reported until the BFF has confirmed that it is this user's.
 */
async function waitForEnd(state: SignInState, report: ReportStep, popup: SignInWindow, begin: () => Promise<Attempt>, existing?: StartedAttempt | Promise<StartedAttempt>): Promise<ConnectResult> {
  let finishingHint: Signal | undefined;
  let launched: StartedAttempt | undefined, cancelling = false;
  let pending = 0, unansweredFor = 0, fastUntil = 0;
  let delay = FAST_DELAY;
  let reachable = !existing; // False after every step but `waiting`, so that the timer reads oftener.
  /** Signals to queue once the attempt is known: early ones, and `returned` for the first read of an existing attempt. */
  const deferred: Signal[] = existing ? ["returned"] : [];

  const queueAnswer = (answer: Promise<StartedAttempt | Partial<Reading>>): void => {
    const queue = (): void => { popup.queueSignal(answer); };
    pending++;
    answer.then(queue, queue); // The settled promise itself: `nextSignal` unwraps it, and so throws the error of a failed call.
  };
  const setAttempt = async (coming: StartedAttempt | Promise<StartedAttempt>): Promise<StartedAttempt> => {
    state.currentAttempt = await coming;
    deferred.splice(0).forEach(popup.queueSignal);
    return state.currentAttempt;
  };

  queueAnswer(setAttempt(existing ?? begin()));
  for (;;) {
    // While a call is pending, the next read waits longer. Before the attempt has come, wake to check the timeout.
    const wait = !pending ? delay : state.currentAttempt ? MAX_DELAY : FAST_DELAY;
    const signal = await popup.nextSignal(wait);
    const attempt = state.currentAttempt;
    if (typeof signal === "object") { // An answer. A failed one has thrown its error.
      pending--;
      if ((signal as Partial<Reading>).id) unansweredFor = 0;
      const result = handleAnswer(signal, state, report, popup);
      if (result) return result;
      continue;
    }
    // An attempt that has not come when the user cancels is not waited for. If it still comes, nobody launches it, and it expires.
    if (!signal && (unansweredFor += wait) > (attempt ? OFFLINE_TIMEOUT : cancelling ? 0 : BEGIN_TIMEOUT)) throw new ConnectError(cancelling ? "cancelled" : "network");
    // `message`, `returned` and `cancel` show the step `finishing`; `ready`, `trouble`, `closed` and `focus` show none. Every other
    // signal is the name of a step.
    const step = /message|returned|cancel/.test(signal as string) ? "finishing" : /ready|trouble|closed|focus/.test(signal as string) ? undefined : (signal as Step | undefined);
    if (step) {
      reachable = step === "waiting";
      if (state.confirmed) report(step, attempt?.id);
    }
    cancelling ||= signal === "cancel";
    if (!attempt) {
      if (signal) deferred.push(signal);
    } else if (signal === "ready" && attempt.launch_token && !cancelling) { // Without a token there is nothing to launch: an existing attempt has none, nor has the answer to the cancel call below, which becomes `currentAttempt` if the attempt had ended.
      if (attempt !== launched) {
        launched = attempt;
        popup.launch(attempt as Attempt);
        report("launched", attempt.id);
        report("waiting", attempt.id);
      } else {
        // The user went back to the opening page, which asks for a launch token again: begin another attempt, unless this one turns
        // out to have ended already, and queue the signal to launch it.
        unansweredFor = 0; // An outage before is no reason to wait less for the new attempt.
        state.currentAttempt = undefined;
        deferred.push(signal);
        queueAnswer(setAttempt(cancel(attempt.id).then<StartedAttempt>((reading) => (reading.status === "cancelled" ? begin() : reading))));
      }
    } else {
      if (step === "finishing") finishingHint = signal; // The hint of all further reads.
      // Read often only while this page has the focus. Without it, a popup that seems closed has usually just been cut off from
      // this page by its Cross-Origin-Opener-Policy, and the user is still signing in.
      if (signal && document.hasFocus()) fastUntil = Date.now() + FAST_READING_TIME;
      delay = signal ? DELAY_AFTER_SIGNAL : Math.min(delay * DELAY_GROWTH, Date.now() < fastUntil ? FAST_DELAY : reachable ? MAX_DELAY_WITH_POPUP : MAX_DELAY);
      queueAnswer((cancelling ? cancel(attempt.id) : call<Reading>("attempts/" + attempt.id, undefined, finishingHint ?? signal ?? "1")).catch(ignoreTemporary(cancelling)));
    }
  }
}

/**
 * Turns a temporary failure to read the status into an answer that says nothing: the flow reads again anyway. It does the same
 * with any failure of a read during which another user may have signed in: the next read uses the new session. After a cancel call,
 * which was repeated already, a temporary failure ends the flow: the BFF expires the attempt.
 */
const ignoreTemporary = (cancelled: boolean, epoch = userEpoch) => (error: ConnectError): Partial<Reading> => {
  if (epoch === userEpoch && !TEMPORARY_CODES.test(error.code)) throw error;
  if (cancelled) throw new ConnectError("cancelled");
  return {};
};

/** Handles an answer of the BFF. Returns the result of a connected attempt; throws if the attempt ended otherwise. */
function handleAnswer(answer: Partial<Reading>, state: SignInState, report: ReportStep, popup: SignInWindow): ConnectResult | undefined {
  const { id, status } = answer;
  // Ignore an answer about an attempt that another one has replaced.
  if (!status || id !== state.currentAttempt?.id) return undefined;
  Object.assign(state.currentAttempt as object, answer);
  if (!state.confirmed) report("waiting", id);
  state.confirmed = true;
  popup.signInBegun ||= status !== "created";
  if (/created|launched/.test(status)) {
    if (answer.step) report(answer.step, id);
    return undefined;
  }
  if (status !== "connected") throw errorOf(answer as Reading);
  // The page may listen for a plain callback message. If no popup posted it to this page, it is dispatched here.
  if (answer.unsent && !popup.messageHeard) dispatchEvent(new MessageEvent("message", answer.unsent));
  return answer.result;
}
