// The whole flow, from the click to its end.
import { cancel, read } from "./bff.js";
import { ConnectError } from "./errors.js";
import type { Popup } from "./popup.js";
import { forget, remember } from "./resume.js";
import type { Signal } from "./signals.js";
import type { Attempt, AttemptRequest, Channel, ConnectOptions, ConnectResult, Reading, Step } from "./types.js";

const BRISK = 250;
const FIRST = 1000;
const GROWTH = 1.5;
const SLOWEST = 5000;
/** With no answer for so long (milliseconds) the server has given up the attempt by itself. */
const GIVE_UP = 900_000;

/** What one flow is about, whom it tells, and where its attempt comes from. */
export interface Flow extends ConnectOptions {
  connector: string;
  tell: (step: Step, attempt?: string) => void;
  begin: (request: AttemptRequest) => Promise<Attempt>;
}

interface Ending {
  reading: Reading;
  channel: Channel;
}

/**
 * One sign-in, its popup opened already: nothing may be awaited between a click and its window.
 * `id` is given when another page of this tab began the attempt, and this one goes on with it.
 * Resolves when the server says `connected`; rejects with a `ConnectError` on every other ending.
 */
export async function connect(flow: Flow, popup: Popup, id?: string): Promise<ConnectResult> {
  const { signal, tell } = flow;
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
      attempt = await flow.begin(requestOf(flow));
      id = attempt.id;
      if (flow.delivery === "return") popup.push("ready"); // This tab is its own window.
    }
    return outcome(await watch(id, attempt, flow, popup));
  } catch (error) {
    if (error instanceof ConnectError) {
      error.attempt = id;
      error.supportCode ??= attempt?.support_code;
    }
    throw error;
  } finally {
    forget(id);
    popup.dispose();
  }
}

/** What to ask of the BFF for this sign-in. */
export function requestOf({ connector, message, locale, delivery }: ConnectOptions & { connector: string }): AttemptRequest {
  const request: AttemptRequest = { connector, message, locale };
  return delivery === "return" ? { ...request, delivery, return_url: location.href } : request;
}

/** Asks after every signal, and from time to time, until the server says how it ended. */
async function watch(id: string, attempt: Attempt | undefined, flow: Flow, popup: Popup): Promise<Ending> {
  let launched = !attempt;
  let cancelling = false;
  let told: Channel | undefined; // A signal of the end stays the hint until the end is read.
  let delay = FIRST;
  let answered = Date.now();
  for (;;) {
    const signal = await popup.next(delay);
    if (signal === "ready" && attempt && !launched) {
      launched = true;
      popup.launch(attempt);
      remember({ id, connector: flow.connector });
      flow.tell("launched", id);
    }
    const step = stepAt(signal, launched);
    if (step) flow.tell(step, id);
    if (signal === "cancel") cancelling = true;
    if (signal === "message" || signal === "returned") told ??= signal;
    const hint = told ?? (signal === "closed" || signal === "focus" ? signal : undefined);
    delay = signal ? BRISK : Math.min(delay * GROWTH, SLOWEST);
    try {
      const reading = await (cancelling ? cancel(id) : read(id, hint));
      if (reading.status !== "created" && reading.status !== "launched") return { reading, channel: hint ?? "poll" };
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

/** What a signal means to the user, if anything. */
function stepAt(signal: Signal | undefined, launched: boolean): Step | undefined {
  if (signal === "ready" || signal === "sure") return launched ? "waiting" : "opening";
  if (signal === "message" || signal === "returned" || signal === "cancel") return "finishing";
  return signal === "unsure" ? signal : undefined;
}

function outcome({ reading, channel }: Ending): ConnectResult {
  const { id, status, connector, connection, message, receipt, error, support_code } = reading;
  if (status === "connected") {
    return { status, attempt: id, connector, connection, message, receipt, channel, supportCode: support_code };
  }
  const failure = new ConnectError(error?.code ?? (status as "failed"), error?.title, error?.next_step);
  failure.supportCode = support_code;
  throw failure;
}
