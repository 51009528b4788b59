// The whole flow, from the click to its end.
import { cancel, read } from "./bff.js";
import { complain } from "./complain.js";
import { ConnectError, errorOf, isPassing } from "./errors.js";
import type { Popup } from "./popup.js";
import type { ConnectRequest } from "./flow.js";
import { settings } from "./session.js";
import type { Signal } from "./signals.js";
import type { Attempt, AttemptRequest, ConnectResult, Reading, Step } from "./types.js";

const BRISK = 250;
const FIRST = 1000;
const GROWTH = 4;
const SLOWEST = 5000;
/** The same while the window can be reached: its message, or its end, will wake us. */
const CALM = 13_000;
/** For so long (milliseconds) after news the waiting never gets slower than `FIRST`: more may follow. */
const EAGER = 15_000;
/** An attempt that has not come in this time (milliseconds) will not. */
const HOPE = 30_000;
/** With no answer for so long (milliseconds) the server has given up the attempt by itself. */
const LIFE = 900_000;

/** Signals after which the server is asked how it ended; those that say nothing to the user; the others are steps by name. */
const FINAL = /message|returned|cancel/;
const SILENT = /ready|trouble|closed|focus/;

/** An attempt of which another page of this tab, or the BFF's acceptance, may tell no more than the id. */
export type Begun = Pick<Attempt, "id"> & Partial<Attempt>;

/** Told each step. */
export type Tell = (step: Step, attempt?: string) => void;

/** What is known of a flow, so far. */
interface Course {
  attempt?: Begun | undefined;
  /** Whether the attempt is known to be this user's. */
  known: boolean;
}

/**
 * One sign-in, its popup opened already: nothing may be awaited between a click and its window.
 * `begin` gives the attempt, and another one when the user begins anew in the same window; but `begun` is one that was
 * begun already, and this page goes on with it. Aborting `abort` gives up.
 * Resolves when the server says `connected`; rejects with a `ConnectError` on every other ending.
 */
export async function connect(
  abort: AbortSignal | undefined,
  tell: Tell,
  popup: Popup,
  begin: () => Promise<Attempt>,
  begun?: Begun | Promise<Begun>,
): Promise<ConnectResult> {
  const giveUp = (): void => { popup.nudge("cancel"); };
  const course: Course = { known: !begun };
  try {
    if (popup.shown === null) throw new ConnectError("popup_blocked");
    abort?.addEventListener("abort", giveUp);
    if (abort?.aborted) giveUp();
    if (!begun) tell("opening");
    return await watch(course, tell, popup, begin, begun);
  } catch (error) {
    const failure = error instanceof ConnectError ? error : new ConnectError("invalid_request", complain(error));
    failure.attempt = course.attempt?.id;
    failure.supportCode = course.attempt?.support_code;
    throw failure;
  } finally {
    abort?.removeEventListener("abort", giveUp);
    popup.tidy();
  }
}

/** What to ask of the BFF for a sign-in. */
export const requestOf = ({ connector, connection, message, locale = settings.locale }: ConnectRequest): AttemptRequest =>
  ({ connector, connection, message, locale, product: settings.product });

/**
 * Asks after every signal, and from time to time, until the server says how it ended. Answers
 * are news as signals are: none waits for an answer that hangs. Nothing is told of an attempt that was `begun` elsewhere
 * before the server says that it is this user's.
 */
async function watch(course: Course, tell: Tell, popup: Popup, begin: () => Promise<Attempt>, begun?: Begun | Promise<Begun>): Promise<ConnectResult> {
  let launched = false;
  let cancelling = false;
  let told: Signal | undefined;
  let asked = 0;
  let answered = Date.now();
  let delay = FIRST;
  let calm = !begun;
  let eagerUntil = 0;
  /** What came before the attempt did. */
  const early: Signal[] = begun ? ["returned"] : [];

  const ask = (answer: Promise<Begun | Reading>): void => {
    asked++;
    answer.then(popup.nudge, popup.nudge);
  };
  const expect = async (coming: Begun | Promise<Begun>): Promise<Begun> => {
    course.attempt = await coming;
    early.splice(0).forEach(popup.nudge);
    return course.attempt;
  };

  ask(expect(begun ?? begin()));
  for (;;) {
    const news = await popup.news(!asked ? delay : course.attempt ? SLOWEST : FIRST);
    const { attempt } = course;
    const id = attempt?.id;
    if (typeof news === "object") {
      asked--;
      if (!(news instanceof Error)) answered = Date.now();
      const result = hear(news, course, tell, popup);
      if (result) return result;
      continue;
    }
    if (Date.now() - answered > (attempt ? LIFE : HOPE)) throw new ConnectError("network");
    const step = FINAL.test(news as string) ? "finishing" : !news || SILENT.test(news) ? undefined : (news as Step);
    if (step) {
      calm = step === "waiting";
      if (course.known) tell(step, id);
    }
    cancelling ||= news === "cancel";
    if (!attempt) {
      if (news) early.push(news);
      // Should the attempt come all the same, it is launched by nobody.
      else if (cancelling) throw new ConnectError("cancelled");
    } else if (news === "ready") {
      launched = !launched;
      if (launched) {
        popup.launch(attempt as Attempt);
        tell("launched", id);
        tell("waiting", id);
      } else {
        course.attempt = undefined;
        early.push(news);
        ask(expect(anew(attempt.id, begin)));
      }
    } else {
      if (step === "finishing") told = news; // It stays the hint until the end is read.
      // While the user is elsewhere, a window that seems closed is only cut off, most likely: no reason to hurry.
      if (news && document.hasFocus()) eagerUntil = Date.now() + EAGER;
      delay = news ? BRISK : Math.min(delay * GROWTH, Date.now() < eagerUntil ? FIRST : calm ? CALM : SLOWEST);
      ask(cancelling ? cancel(attempt.id) : read(attempt.id, told ?? news));
    }
  }
}

/** What an answer tells: the result, or an error, once the attempt has ended. */
function hear(answer: Partial<Reading> | ConnectError, course: Course, tell: Tell, popup: Popup): ConnectResult | undefined {
  const { attempt } = course;
  if (answer instanceof Error) {
    if (attempt && isPassing(answer)) return undefined;
    throw answer;
  }
  const { id, status } = answer;
  // The answer to an attempt that was given up for another tells nothing.
  if (!attempt || !status || id !== attempt.id) return undefined;
  attempt.support_code = (answer as Reading).support_code;
  if (!course.known) tell("waiting", id);
  course.known = true;
  if (status !== "created") popup.begun = true;
  if (!/created|launched/.test(status)) return outcome(answer as Reading); // The others are final.
  if (answer.step) tell(answer.step, id);
  return undefined;
}

/** The user went back to the window's first page: it begins anew, unless what went before has ended well. */
async function anew(id: string, begin: () => Promise<Attempt>): Promise<Begun> {
  const reading = await cancel(id);
  return reading.status === "cancelled" ? begin() : reading;
}

function outcome(reading: Reading): ConnectResult {
  if (reading.status !== "connected") throw errorOf(reading);
  // The page may listen for its own text, and no window has posted it, or none could.
  if (reading.unsent) dispatchEvent(new MessageEvent("message", reading.unsent));
  return reading.result;
}
