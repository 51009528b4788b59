// The BFF over HTTP: what is asked of it, and what may go wrong with each call.
import { complain } from "./complain.js";
import { ConnectError, errorOf, type Told } from "./errors.js";
import { bffOrigin, renewSession, sessionToken, settings } from "./session.js";
import type { Signal } from "./signals.js";
import type { Attempt, AttemptRequest, Config, Connection, Reading } from "./types.js";

/** So long (milliseconds) after a call has failed may the browser take to say why, and to be able to close a window. */
const HINDSIGHT = 500;
/** A call that hangs longer (milliseconds) is taken for lost. */
const PATIENCE = 10_000;
/** So long (milliseconds) a lost call is made again. */
const PERSISTENCE = 15_000;

/** What an answer is asked for with: the signal, or none in particular. */
type Hint = Signal | "1";

/** What a page needs to draw buttons, in this language; the server chooses one where nobody named any. */
export const readConfig = (locale: string): Promise<Config> => call("config?locale=" + encodeURIComponent(locale));

/** What the account has connected. */
export const readConnections = (): Promise<Connection[]> => call<{ connections: Connection[] }>("connections").then(({ connections }) => connections);

/** Ends a connection, here and at the partner service. */
export const end = (connection: string): Promise<unknown> => call("connections/" + connection, null);

/** Begins an attempt: nothing happens for the user until its launch token is used. `pressed`: that will be at once. */
export const begin = (request: AttemptRequest, pressed: boolean): Promise<Attempt> => call("attempts", { ...request, pressed });

/**
 * How an attempt stands. `hint` names the signal that woke us: the BFF then looks at once. It stands in a header, as the
 * browser asks the BFF for leave (preflight) once for each address: a new one would cost the last look a round trip.
 */
export const read = (id: string, hint?: Signal): Promise<Reading> => call("attempts/" + id, undefined, hint ?? "1");

/** Gives up an attempt. The answer may still be `connected`: the server's word counts. */
export const cancel = (id: string): Promise<Reading> => call("attempts/" + id + "/cancel", {});

/** Takes the other third-party account, which signed in, in place of the connected one: the new attempt. */
export const accept = (id: string): Promise<Reading> => call("attempts/" + id + "/accept", {});

/**
 * Asks the BFF: GET without a body, DELETE with null. A call that is lost, or whose answer is, is made again for a while; its key says that it is the same one. A look (with a
 * `hint`) is not: the next one comes anyway.
 */
async function call<Answer>(path: string, body?: object | null, hint?: Hint): Promise<Answer> {
  if (!bffOrigin()) throw new ConnectError("invalid_request", complain("call configure first"));
  const began = Date.now();
  const key = `${Math.random()}`; // The BFF reads it beside the user's id.
  let renewed = false;
  for (;;) {
    try {
      const response = await send(path, body, hint, key);
      const answer = (response.status === 204 ? {} : await response.json()) as (Answer & Told) | null;
      if (answer?.advice) complain(answer.advice);
      if (response.ok && answer) return answer;
      if (response.status === 401 && renewSession() && (renewed = !renewed)) continue;
      throw answer?.error ? errorOf(answer) : new SyntaxError(); // It is none of the BFF's own.
    } catch (error) {
      if (error instanceof ConnectError) throw error;
      // The browser reports a violation of the page's policy only after the call has failed. And a window that is
      // closed at the instant at which it was opened stays open in Chromium.
      await new Promise((resume) => setTimeout(resume, HINDSIGHT));
      if (settings.advice) throw new ConnectError("invalid_request", settings.advice);
      if (hint || Date.now() - began > PERSISTENCE) throw new ConnectError(error instanceof SyntaxError ? "partner_unavailable" : "network");
    }
  }
}

async function send(path: string, body: object | null | undefined, hint: Hint | undefined, key: string): Promise<Response> {
  const token = await sessionToken();
  const response: unknown = await fetch(settings.base + "/v1/" + path, {
    method: body ? "POST" : body === null ? "DELETE" : "GET",
    headers: {
      "X-Hitchpost": hint ?? "1",
      "Content-Type": "application/json",
      // The page's own language comes before the browser's. Encoded, as a header holds no other letters.
      "Content-Language": encodeURI(document.documentElement.lang),
      "Idempotency-Key": key,
      ...(token && { Authorization: "Bearer " + token }),
    },
    body: body ? JSON.stringify(body) : null,
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- Safari before 16 has none: nobody may wait for an answer alone
    signal: AbortSignal.timeout?.(PATIENCE),
  });
  return (response ?? complain("fetch gives nothing")) as Response; // Whose own text is no answer either.
}
