// The BFF's HTTP API, as the widget calls it.
import { logError } from "./log.js";
import { ConnectError, errorOf, type ErrorBody } from "./errors.js";
import { bffOrigin, dropToken, sessionToken, settings, userEpoch } from "./session.js";
import type { Signal } from "./signals.js";
import type { Attempt, AttemptRequest, Connection, Reading } from "./types.js";

/** Pause (milliseconds) after a failed call, in which the browser reports whether the page's CSP blocked it. */
const CSP_REPORT_DELAY = 500;
/** Timeout (milliseconds) of one call. */
const CALL_TIMEOUT = 10_000;
/** For how long (milliseconds) a call that got no answer of the BFF is repeated. */
const RETRY_FOR = 15_000;

/**
 * The header X-Hitchpost. For a read of the status: the last `message` or `returned`, else the signal that made the widget read, "1"
 * if there is none. The BFF then polls the partner service sooner, if it knows the signal. It is sent as a header, because browsers
 * cache a CORS preflight by URL: in the query it would cost another round trip.
 */
type Hint = Signal | "1";

/** Reads the account's connections. */
export const readConnections = (): Promise<Connection[]> => call<{ connections: Connection[] }>("connections").then(({ connections }) => connections);

/** Begins an attempt. `pressed`: its button has been pressed, so the BFF mints for its launch at once. */
export const beginAttempt = (request: AttemptRequest, pressed: boolean): Promise<Attempt> => call("attempts", { ...request, pressed });

/** Cancels an attempt. The answer may still be `connected`, if the sign-in has succeeded. */
export const cancel = (id: string): Promise<Reading> => call("attempts/" + id + "/cancel", {});

/**
 * Calls the BFF: GET if `body` is undefined, DELETE if it is null, else POST. Repeats a call that got no answer of the BFF, with the same
 * idempotency key. A call with a `hint` is not repeated, because the flow reads the status again anyway.
 * No call is repeated after `configure`.
 */
export async function call<Answer>(path: string, body?: object | null, hint?: Hint): Promise<Answer> {
  if (!bffOrigin()) throw new ConnectError("invalid_request", logError("call configure first"));
  const began = Date.now();
  const key = Math.random() as unknown as string; // The idempotency key. It need not be secret: the BFF keeps each user's apart.
  let renewals = 0;
  const firstEpoch = userEpoch;
  while (firstEpoch === userEpoch) {
    try {
      const token = await sessionToken();
      if (token === "") throw new ConnectError("not_signed_in");
      const response = await fetch(settings.base + "/v1/" + path, {
        method: body ? "POST" : body === null ? "DELETE" : "GET",
        headers: {
          "X-Hitchpost": hint ?? "1",
          "Content-Type": "application/json",
          // The page's language. It is a header of its own, so that Accept-Language still tells the browser's, the BFF's second choice.
          // It is encoded, because headers are ASCII.
          "Content-Language": encodeURI(document.documentElement.lang),
          "Idempotency-Key": key,
          ...(token && { Authorization: "Bearer " + token }),
        },
        body: body ? JSON.stringify(body) : null,
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- Safari before 16 lacks it; a call may hang there
        signal: AbortSignal.timeout?.(CALL_TIMEOUT),
      });
      const answer = (response.status === 204 ? {} : await response.json()) as (Answer & ErrorBody) | null;
      if (answer?.advice) logError(answer.advice);
      if (response.ok && answer) return answer;
      if (response.status === 401 && dropToken() && !renewals++) continue; // Tries a new token once.
      if (answer?.error?.title) throw errorOf(answer);
      throw new SyntaxError(); // As for an answer that is no JSON: it is not the BFF's, but a proxy's, which may have an `error` too.
    } catch (error) {
      if (error instanceof ConnectError) throw error;
      // The browser reports a CSP violation only after the call has failed. The pause is also needed because a failure closes the
      // popup, and Chromium ignores `close()` on a popup that was opened an instant ago.
      await new Promise((resume) => setTimeout(resume, CSP_REPORT_DELAY));
      if (settings.advice) throw new ConnectError("invalid_request", settings.advice);
      if (hint || Date.now() - began > RETRY_FOR) throw new ConnectError(error instanceof SyntaxError ? "partner_unavailable" : "network");
    }
  }
  throw new ConnectError("cancelled"); // Another user may have signed in: the call must not be repeated as theirs.
}
