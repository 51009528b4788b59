// The BFF over HTTP: four calls, and what may go wrong with each.
import { ConnectError } from "./errors.js";
import { advice } from "./policy.js";
import { renewSession, sessionToken, settings } from "./session.js";
import type { Attempt, AttemptRequest, Channel, Config, Reading } from "./types.js";

/** A call that hangs longer (milliseconds) is taken for lost. */
const PATIENCE = 15_000;

/** What a page needs to draw buttons. */
export const readConfig = (): Promise<Config> => call("config");

/** Begins an attempt: nothing happens for the user until its launch token is used. */
export const begin = (request: AttemptRequest): Promise<Attempt> => call("attempts", request);

/** How an attempt stands. `hint` names the signal that woke us: the BFF then looks at once. */
export const read = (id: string, hint?: Channel): Promise<Reading> =>
  call(`attempts/${id}${hint ? `?hint=${hint}` : ""}`);

/** Gives up an attempt. The answer may still be `connected`: the server's word counts. */
export const cancel = (id: string): Promise<Reading> => call(`attempts/${id}/cancel`, {});

/** Takes the other third-party account, which signed in, in place of the connected one: the new attempt's id. */
export const accept = async (id = ""): Promise<string> => (await call<Reading>(`attempts/${id}/accept`, {})).id;

async function call<Answer>(path: string, body?: object): Promise<Answer> {
  let response = await send(path, body);
  if (response.status === 401 && renewSession()) response = await send(path, body);
  const answer = (await response.json().catch(() => undefined)) as Answer | undefined;
  if (response.ok && answer) return answer;
  throw explain(response, answer ?? {});
}

async function send(path: string, body?: object): Promise<Response> {
  const token = await sessionToken();
  return fetch(`${settings.base}/v1/${path}`, {
    method: body ? "POST" : "GET",
    headers: {
      "X-Hitchpost": "1",
      "Content-Type": "application/json",
      ...(token && { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body) as string | null, // undefined when there is none
    credentials: token ? "omit" : "same-origin",
    signal: AbortSignal.timeout(PATIENCE),
  }).catch(async () => {
    // The browser reports a violation of the page's policy only after the call has failed. And a window that is
    // closed at the instant at which it was opened stays open in Chromium.
    await new Promise((resume) => setTimeout(resume, 99));
    throw new ConnectError(advice ? "invalid_request" : "network", advice);
  });
}

/** The error that a problem document (RFC 9457) tells, or an answer that makes no sense. */
function explain({ status }: Response, problem: { code?: string; title?: string; next_step?: string }): ConnectError {
  const { code, title, next_step } = problem;
  // What the caller did wrong stays wrong; too many calls (429) is a matter of time.
  let told: ConnectError["code"] = /^4(?!29)/.test(`${status}`) ? "invalid_request" : "partner_unavailable";
  if (status === 401) told = "not_signed_in";
  if (code?.includes("connector")) told = "connector_unavailable"; // Unknown, not offered, or out of order.
  return new ConnectError(told, title, next_step);
}
