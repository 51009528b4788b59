// The whole flow, from the click to its end.
import { cancel, read } from "./bff.js";
import { complain } from "./complain.js";
import { ConnectError, errorOf, isPassing } from "./errors.js";
import type { Popup } from "./popup.js";
import type { ConnectRequest } from "./flow.js";
import { settings } from "./session.js";
import type { Signal } from "./signals.js";
import type { Attempt, AttemptRequest, Channel, ConnectResult, Reading, Step } from "./types.js";

const BRISK = 250;
const FIRST = 1000;
const GROWTH = 2;
const SLOWEST = 5000;
/** For so long (milliseconds) after news the waiting never gets slower than `FIRST`: more may follow. */
const EAGER = 15_000;
/** An attempt that has not come in this time (milliseconds) will not. */
const HOPE = 30_000;
/** With no answer for so long (milliseconds) the server has given up the attempt by itself. */
const LIFE = 900_000;

/** What a signal means to the user. */
const STEPS: Partial<Record<Signal, Step>> = {
  sure: "waiting",
  not_loading: "not_loading",
  unsure: "unsure",
  cut_off: "cut_off",
  interrupted: "interrupted",
  message: "finishing",
  returned: "finishing",
  cancel: "finishing",
};

/** An attempt of which another page of this tab, or the BFF's acceptance, may tell no more than the id. */
export type Begun = Pick<Attempt, "id"> & Partial<Attempt>;

/** Told each step. */
export type Tell = (step: Step, attempt?: string) => void;

/** The form of a language tag; `de_DE` is taken for one too. */
const TAG = /^[a-z]{2,8}([-_][a-z\d]{1,8})*$/i;

/** Gives a new attempt. */
type Begin = () => Promise<Attempt>;

/** What is known of a flow, so far. */
interface Course {
  attempt?: Begun | undefined;
  /** So many answers are waited for. */
  asked: number;
  /** When the last one came. */
  answered: number;
  ending?: () => [Reading, Channel];
}

/**
 * One sign-in, its popup opened already: nothing may be awaited between a click and its window.
 * `begin` gives the attempt, and another one when the user begins anew in the same window; but `begun` is one that was
 * begun already, and this page goes on with it. Aborting `signal` gives up.
 * Resolves when the server says `connected`; rejects with a `ConnectError` on every other ending.
 */
export async function connect(
  { signal }: Pick<ConnectRequest, "signal">,
  tell: Tell,
  popup: Popup,
  begin: Begin,
  begun?: Begun | Promise<Begun>,
): Promise<ConnectResult> {
  const giveUp = (): void => { popup.nudge("cancel"); };
  const course: Course = { asked: 0, answered: Date.now() };
  try {
    if (popup.blocked) throw new ConnectError("popup_blocked");
    signal?.addEventListener("abort", giveUp);
    if (signal?.aborted) giveUp();
    if (!begun) tell("opening");
    return outcome(...(await watch(course, tell, popup, begin, begun)));
  } catch (error) {
    const failure = error instanceof ConnectError ? error : new ConnectError("invalid_request", complain(error));
    failure.attempt = course.attempt?.id;
    failure.supportCode ??= course.attempt?.support_code;
    throw failure;
  } finally {
    signal?.removeEventListener("abort", giveUp);
    popup.tidy();
  }
}

/** What to ask of the BFF for a sign-in. */
export function requestOf({ connector, message, locale = settings.locale }: ConnectRequest): AttemptRequest {
  if (locale && !TAG.test(locale)) locale = void complain("no language tag: " + locale);
  // eslint-disable-next-line @typescript-eslint/prefer-nullish-coalescing -- an empty one names none
  return { connector, message, locale: locale || undefined };
}

/**
 * Asks after every signal, and from time to time, until the server says how it ended; with the signal that told. Nothing is
 * told of an attempt that was `begun` elsewhere before the server says that it is this user's.
 * No signal waits for an answer that hangs: the first answer that tells an ending is taken.
 */
async function watch(course: Course, tell: Tell, popup: Popup, begin: Begin, begun?: Begun | Promise<Begun>): Promise<[Reading, Channel]> {
  let known = !begun;
  let ready = false;
  let launched = false;
  let cancelling = false;
  let told: Channel | undefined;
  let delay = FIRST;
  const delayAfter = pace();

  const expect = (coming: Begun | Promise<Begun>): void => {
    void wait(course, popup, coming, (attempt) => {
      course.attempt = attempt;
      if (begun) popup.nudge("returned");
      if (cancelling) popup.nudge("cancel");
    });
  };
  expect(begun ?? begin());
  for (;;) {
    const signal = await popup.news(!course.asked ? delay : course.attempt ? SLOWEST : FIRST);
    if (course.ending) return course.ending();
    const { attempt } = course;
    if (Date.now() - course.answered > (attempt ? LIFE : HOPE)) throw new ConnectError("network");
    const step = STEPS[signal ?? "answer"]; // Not every signal is a step.
    if (step && known) tell(step, attempt?.id);
    if (signal === "ready") ready = true;
    if (signal === "cancel") cancelling = true;
    if (!attempt) {
      // Should the attempt come all the same, it is launched by nobody.
      if (!signal && cancelling) throw new ConnectError("cancelled");
      continue;
    }
    const { id } = attempt;
    if (ready) {
      ready = launched;
      launched = !launched;
      if (launched) {
        popup.launch(attempt as Attempt);
        tell("launched", id);
        tell("waiting", id);
      } else {
        course.attempt = undefined;
        expect(anew(course, id, begin));
      }
      continue;
    }
    if (signal === "answer") continue;
    // Of these the BFF is told.
    const hint = told ?? (["message", "returned", "trouble", "closed", "focus"] as const).find((name) => name === signal);
    if (step === "finishing") told = hint; // It stays the hint until the end is read.
    delay = delayAfter(signal);
    void wait(course, popup, cancelling ? cancel(id) : read(id, hint), (reading) => {
      if (attempt !== course.attempt) return; // It has been given up for another.
      const { status } = reading;
      if (!known) tell("waiting", id);
      known = true;
      if (status !== "created") popup.begun = true;
      if (!/created|launched|undefined/.test(status)) course.ending ??= () => [reading, hint ?? "poll"]; // The others are final.
      else if (signal === "trouble") tell("interrupted", id);
    });
  }
}

/** The user went back to the window's first page. It begins anew, unless what went before has ended well. */
async function anew(course: Course, id: string, begin: Begin): Promise<Attempt> {
  const reading = await cancel(id);
  if (reading.status !== "cancelled") course.ending = () => [reading, "poll"];
  return begin();
}

/** Takes an answer when it comes, and wakes the flow. */
async function wait<Answer>(course: Course, popup: Popup, answer: Answer | Promise<Answer>, take: (answer: Answer) => void): Promise<void> {
  course.asked++;
  try {
    take(await answer);
    course.answered = Date.now();
  } catch (error) {
    if (!course.attempt || !isPassing(error as ConnectError)) course.ending ??= () => { throw error; };
  }
  course.asked--;
  popup.nudge("answer");
}

/** How long to wait (milliseconds) for the next signal, after this one or none. */
function pace(): (signal?: Signal) => number {
  let delay = FIRST;
  let eagerUntil = 0;
  return (signal) => {
    // While the user is elsewhere, a window that seems closed is only cut off, most likely: no reason to hurry.
    if (signal && document.hasFocus()) eagerUntil = Date.now() + EAGER;
    return (delay = signal ? BRISK : Math.min(delay * GROWTH, Date.now() < eagerUntil ? FIRST : SLOWEST));
  };
}

function outcome(reading: Reading, channel: Channel): ConnectResult {
  const { id, status, connector, connection, message, receipt, support_code: supportCode } = reading;
  if (status === "connected") return { status, attempt: id, connector, connection, message, receipt, channel, supportCode };
  const failure = errorOf(reading);
  failure.supportCode = supportCode;
  throw failure;
}
