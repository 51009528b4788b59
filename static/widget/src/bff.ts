// The BFF's HTTP API, as the widget calls it.
import { logError } from "./log.js";
import { ConnectError, errorOf, type ErrorBody } from "./errors.js";
import { bffOrigin, dropToken, sessionToken, settings } from "./session.js";
import type { Signal } from "./signals.js";
import type { Attempt, AttemptRequest, Config, Connection, Reading } from "./types.js";

/** Pause (milliseconds) after a failed call. In it the browser reports what the page's policy has blocked. */
const POLICY_REPORT_DELAY = 500;
/** Timeout (milliseconds) of one call. */
const CALL_TIMEOUT = 10_000;
/** How long (milliseconds) a call that got no answer is repeated. */
const RETRY_FOR = 15_000;

/** The value of the X-Hitchpost header: the signal that made us ask, or "1". */
type Hint = Signal | "1";

/** What a page needs to draw buttons, in this language. Without one the server chooses. */
export const readConfig = (locale: string): Promise<Config> => call("config?locale=" + encodeURIComponent(locale));

/** What the account has connected. */
export const readConnections = (): Promise<Connection[]> => call<{ connections: Connection[] }>("connections").then(({ connections }) => connections);

/** Ends a connection, here and at the partner service. */
export const end = (connection: string): Promise<unknown> => call("connections/" + connection, null);

/** Begins an attempt. `pressed`: its button is pressed already, so the BFF mints for its launch at once. */
export const begin = (request: AttemptRequest, pressed: boolean): Promise<Attempt> => call("attempts", { ...request, pressed });

/**
 * The status of an attempt. `hint` is the signal that made us ask: the BFF then polls sooner. It is sent as a header, not
 * in the query: browsers cache a preflight by URL, so a new URL would cost a round trip.
 */
export const read = (id: string, hint?: Signal): Promise<Reading> => call("attempts/" + id, undefined, hint ?? "1");

/** Cancels an attempt. The answer may still be `connected`, if the sign-in has succeeded. */
export const cancel = (id: string): Promise<Reading> => call("attempts/" + id + "/cancel", {});

/** Accepts the other third-party account in place of the connected one. Returns the new attempt. */
export const accept = (id: string): Promise<Reading> => call("attempts/" + id + "/accept", {});

/**
 * Calls the BFF: GET without a body, DELETE with null, else POST. Repeats a call that got no answer, with the same
 * idempotency key. A call with a `hint` is not repeated: the flow polls again anyway.
 */
async function call<Answer>(path: string, body?: object | null, hint?: Hint): Promise<Answer> {
  if (!bffOrigin()) throw new ConnectError("invalid_request", logError("call configure first"));
  const began = Date.now();
  const key = `${Math.random()}`; // Need not be secret: the BFF scopes it to the user.
  let renewed = false;
  for (;;) {
    try {
      const response = await send(path, body, hint, key);
      const answer = (response.status === 204 ? {} : await response.json()) as (Answer & ErrorBody) | null;
      if (answer?.advice) logError(answer.advice);
      if (response.ok && answer) return answer;
      if (response.status === 401 && dropToken() && (renewed = !renewed)) continue;
      throw answer?.error ? errorOf(answer) : new SyntaxError(); // Not the BFF's answer: a proxy's, say.
    } catch (error) {
      if (error instanceof ConnectError) throw error;
      // The browser reports what the page's policy blocked only after the call has failed. And a failure
      // closes the popup, which Chromium does not do in the instant in which it was opened.
      await new Promise((resume) => setTimeout(resume, POLICY_REPORT_DELAY));
      if (settings.advice) throw new ConnectError("invalid_request", settings.advice);
      if (hint || Date.now() - began > RETRY_FOR) throw new ConnectError(error instanceof SyntaxError ? "partner_unavailable" : "network");
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
      // The page's own language takes precedence over the browser's. Encoded, since headers are ASCII.
      "Content-Language": encodeURI(document.documentElement.lang),
      "Idempotency-Key": key,
      ...(token && { Authorization: "Bearer " + token }),
    },
    body: body ? JSON.stringify(body) : null,
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- Safari before 16 has none: there a call may hang
    signal: AbortSignal.timeout?.(CALL_TIMEOUT),
  });
  // A page's own fetch may resolve with nothing. The logged text in its place has no `json`: the call fails.
  return (response ?? logError("fetch gives nothing")) as Response;
}
