// The BFF over HTTP: what is asked of it, and what may go wrong with each call.
import { complain } from "./complain.js";
import { ConnectError, errorOf, type Told } from "./errors.js";
import { advice, watchPolicy } from "./policy.js";
import { bffOrigin, renewSession, sessionToken, settings } from "./session.js";
import type { Attempt, AttemptRequest, Channel, Config, Reading } from "./types.js";

/** So long (milliseconds) after a call has failed may the browser take to say why, and to be able to close a window. */
const HINDSIGHT = 500;
/** A call that hangs longer (milliseconds) is taken for lost. */
const PATIENCE = 10_000;
/** So long (milliseconds) a lost call is made again. */
const PERSISTENCE = 15_000;

/** What a page needs to draw buttons, in this language; the server chooses one where nobody named any. */
export const readConfig = (locale: string): Promise<Config> => call("config?locale=" + encodeURIComponent(locale), undefined, "1", "config");

/**
 * Begins an attempt: nothing happens for the user until its launch token is used. `pressed`: that will be at once.
 * Should the request or its answer be lost, it is sent again for a while, and begins no second attempt.
 */
export const begin = (request: AttemptRequest, pressed: boolean): Promise<Attempt> =>
  call("attempts", { ...request, pressed }, "1", `${Date.now()}-${Math.random()}`);

/**
 * The button of this attempt is pressed: the BFF begins what the launch will wait for. Should it not get through, the
 * launch only takes longer. A form, and no header of ours: the browser need not ask first whether it may be sent.
 */
export const press = (attempt: Promise<Attempt>): Promise<unknown> =>
  attempt
    .then(({ launch_token }) => fetch(settings.base + "/v1/press", { method: "POST", body: new URLSearchParams({ launch_token }) }))
    .catch(() => null); // Whoever waits for the attempt itself is told what is wrong.

/**
 * How an attempt stands. `hint` names the signal that woke us: the BFF then looks at once. It stands in a header, as the
 * browser asks the BFF for leave (preflight) once for each address: a new one would cost the last look a round trip.
 */
export const read = (id: string, hint?: Channel): Promise<Reading> => call("attempts/" + id, undefined, hint);

/** Gives up an attempt. The answer may still be `connected`: the server's word counts. */
export const cancel = (id: string): Promise<Reading> => call("attempts/" + id + "/cancel", {});

/** Takes the other third-party account, which signed in, in place of the connected one: the new attempt. */
export const accept = (id: string): Promise<Reading> => call("attempts/" + id + "/accept", {});

/** With a `key`, which names the request to the BFF, the call is made again when it or its answer is lost. */
async function call<Answer>(path: string, body?: object, hint = "1", key = ""): Promise<Answer> {
  if (!bffOrigin()) throw new ConnectError("invalid_request", complain("call configure with base, product and session"));
  const began = Date.now();
  for (;;) {
    try {
      return await ask(path, body, hint, key);
    } catch (error) {
      if (error instanceof ConnectError) throw error;
      // The browser reports a violation of the page's policy only after the call has failed. And a window that is
      // closed at the instant at which it was opened stays open in Chromium.
      await new Promise((resume) => setTimeout(resume, HINDSIGHT));
      if (advice || !key || Date.now() - began > PERSISTENCE) {
        throw new ConnectError(advice ? "invalid_request" : error instanceof SyntaxError ? "partner_unavailable" : "network", advice);
      }
    }
  }
}

/** Throws a SyntaxError for an answer that is none of the BFF's own. */
async function ask<Answer>(...call: [path: string, body: object | undefined, hint: string, key: string]): Promise<Answer> {
  let response = await send(...call);
  if (response.status === 401 && renewSession()) response = await send(...call);
  const answer = (await response.json()) as (Answer & Told) | null;
  if (response.ok && answer) return answer;
  throw answer?.error ? errorOf(answer) : new SyntaxError();
}

async function send(path: string, body: object | undefined, hint: string, key: string): Promise<Response> {
  const token = await sessionToken();
  watchPolicy();
  const response = (await fetch(settings.base + "/v1/" + path, {
    method: body ? "POST" : "GET",
    headers: {
      "X-Hitchpost": hint,
      "Content-Type": "application/json",
      // The page's own language comes before the browser's. Encoded, as a header holds no other letters.
      "Accept-Language": encodeURI([document.documentElement.lang, navigator.languages] as unknown as string),
      ...(key && { "Idempotency-Key": key }),
      ...(token && { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body) as string | null, // undefined when there is none
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- Safari before 16 has none: nobody may wait for an answer alone
    signal: AbortSignal.timeout?.(PATIENCE),
  })) as Response | undefined;
  if (!response) throw new TypeError(complain("this page's fetch gives nothing"));
  return response;
}
