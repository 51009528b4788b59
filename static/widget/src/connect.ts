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

/** Gives a new attempt. */
type Begin = (request: AttemptRequest, pressed: true) => Promise<Attempt>;

/** The form of a language tag; `de_DE` is taken for one too. */
const TAG = /^[a-z]{2,8}([-_][a-z\d]{1,8})*$/i;

/** What is known of a flow, so far. */
interface Course {
  attempt?: Begun | undefined;
}

/**
 * One sign-in, its popup opened already: nothing may be awaited between a click and its window.
 * `begin` gives the attempt; but `begun` is one that was begun already, and this page goes on with it.
 * Resolves when the server says `connected`; rejects with a `ConnectError` on every other ending.
 */
export async function connect(
  request: ConnectRequest,
  tell: Tell,
  popup: Popup,
  begin: Begin,
  begun?: Begun | Promise<Begun>,
): Promise<ConnectResult> {
  const { signal } = request;
  const giveUp = (): void => { popup.nudge("cancel"); };
  const course: Course = {};
  try {
    if (popup.blocked) throw new ConnectError("popup_blocked");
    signal?.addEventListener("abort", giveUp);
    if (signal?.aborted) giveUp();
    if (!begun) tell("opening");
    if (!begun && request.delivery === "return") popup.nudge("ready"); // This tab is its own window.
    return outcome(...(await watch(course, tell, popup, () => begin(requestOf(request), true), begun)));
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

/** What to ask of the BFF for this sign-in. */
export function requestOf({ connector, message, locale = settings.locale, delivery }: ConnectRequest): AttemptRequest {
  if (locale && !TAG.test(locale)) locale = void complain("no language tag: " + locale);
  // What is the default goes unsaid: else an attempt that was made before the BFF told it would not be the one asked for.
  // eslint-disable-next-line @typescript-eslint/prefer-nullish-coalescing -- an empty one names none
  return { connector, message, locale: locale || undefined, ...(delivery === "return" && { delivery, return_url: location.href }) };
}

/**
 * Asks after every signal, and from time to time, until the server says how it ended; with the signal that told. Nothing is
 * told of an attempt that was `begun` elsewhere before the server says that it is this user's.
 * No signal waits for an answer that hangs: the first answer that tells an ending is taken.
 */
async function watch(
  course: Course,
  tell: Tell,
  popup: Popup,
  begin: () => Promise<Attempt>,
  begun?: Begun | Promise<Begun>,
): Promise<[Reading, Channel]> {
  let known = !begun;
  let ready = false;
  let launched = false;
  let cancelling = false;
  let told: Channel | undefined;
  let delay = FIRST;
  let eagerUntil = 0;
  let answered = Date.now();
  let asked = 0;
  let ending: (() => [Reading, Channel]) | undefined;

  const say = (step?: Step): void => { if (known && step) tell(step, course.attempt?.id); };

  const wait = async <Answer>(answer: Answer | Promise<Answer>, take: (answer: Answer) => void): Promise<void> => {
    asked++;
    try {
      take(await answer);
      answered = Date.now();
    } catch (error) {
      if (!course.attempt || !isPassing(error as ConnectError) || Date.now() - answered > LIFE) ending ??= () => { throw error; };
    }
    asked--;
    popup.nudge("answer");
  };

  const expect = (coming: Begun | Promise<Begun>): void => {
    void wait(coming, (attempt) => {
      course.attempt = attempt;
      if (begun) popup.nudge("returned");
      if (cancelling) popup.nudge("cancel");
    });
  };

  // The user went back to the window's first page. It begins anew, unless what went before has ended well.
  const anew = async (id: string): Promise<Attempt> => {
    const reading = await cancel(id);
    if (reading.status !== "cancelled") ending = () => [reading, "poll"];
    return begin();
  };

  expect(begun ?? begin());
  for (;;) {
    // What hangs is not waited for.
    const signal = await popup.news(!asked ? delay : course.attempt ? SLOWEST : FIRST);
    if (ending) return ending();
    if (signal === "refused") throw new ConnectError("invalid_request");
    if (signal === "ready") ready = true;
    if (signal === "cancel") cancelling = true;
    const { attempt } = course;
    const step = STEPS[signal ?? "answer"]; // Not every signal is a step.
    say(step);
    if (!attempt) {
      if (signal === "not_loading") say(signal);
      // Should the attempt come all the same, it is launched by nobody.
      if (!signal && cancelling) throw new ConnectError("cancelled");
      if (Date.now() - answered > HOPE) throw new ConnectError("network");
      continue;
    }
    const { id } = attempt;
    if (ready && launched) {
      launched = false;
      course.attempt = undefined;
      expect(anew(id));
      continue;
    }
    if (ready) {
      ready = false;
      launched = true;
      popup.launch(attempt as Attempt);
      say("launched");
      say("waiting");
      continue;
    }
    if (signal === "answer") continue;
    // Of these the BFF is told.
    const hint = told ?? (["message", "returned", "trouble", "closed", "focus"] as const).find((name) => name === signal);
    if (step === "finishing") told = hint; // It stays the hint until the end is read.
    // While the user is elsewhere, a window that seems closed is only cut off, most likely: no reason to hurry.
    if (signal && document.hasFocus()) eagerUntil = Date.now() + EAGER;
    delay = signal ? BRISK : Math.min(delay * GROWTH, Date.now() < eagerUntil ? FIRST : SLOWEST);
    void wait(cancelling ? cancel(id) : read(id, hint), (reading) => {
      if (attempt !== course.attempt) return; // It has been given up for another.
      const { status } = reading;
      if (!known) known = true, say("waiting");
      if (status !== "created") popup.begun = true;
      if (!/created|launched|undefined/.test(status)) ending ??= () => [reading, hint ?? "poll"]; // The others are final.
      // Of these the server might have known better.
      else if (signal === "trouble") say("interrupted");
      else if (signal === "not_loading" && !popup.begun) say(signal);
    });
  }
}

function outcome(reading: Reading, channel: Channel): ConnectResult {
  const { id, status, connector, connection, message, receipt, support_code: supportCode } = reading;
  if (status === "connected") return { status, attempt: id, connector, connection, message, receipt, channel, supportCode };
  const failure = errorOf(reading);
  failure.supportCode = supportCode;
  throw failure;
}
