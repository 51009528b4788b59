// The BFF over HTTP: four calls, and what may go wrong with each.
import { ConnectError, passing } from "./errors.js";
import { renewSession, sessionToken, settings } from "./session.js";
import type { Attempt, AttemptRequest, Channel, Config, ConnectErrorCode, Reading } from "./types.js";

/** A call that hangs longer (milliseconds) is taken for lost. */
const PATIENCE = 15_000;

interface Problem {
  code?: string;
  title?: string;
  next_step?: string;
}

/** What a page needs to draw buttons. */
export const readConfig = (): Promise<Config> => call("config");

/** Begins an attempt: nothing happens for the user until its launch token is used. */
export const begin = (request: AttemptRequest): Promise<Attempt> => call("attempts", request);

/** How an attempt stands. `hint` names the signal that woke us: the BFF then looks at once. */
export const read = (id: string, hint?: Channel): Promise<Reading> =>
  call(`attempts/${id}` + (hint ? `?hint=${hint}` : ""));

/** Gives up an attempt. The answer may still be `connected`: the server's word counts. */
export const cancel = (id: string): Promise<Reading> => call(`attempts/${id}/cancel`, {});

async function call<T>(path: string, body?: object): Promise<T> {
  try {
    let response = await send(path, body);
    if (response.status === 401 && renewSession()) response = await send(path, body);
    // An error of something in between may come without JSON; a success never does.
    const answer: unknown = await response.json().catch((error: unknown) => {
      if (response.ok) throw error;
      return {};
    });
    if (response.ok) return answer as T;
    throw explain(response, answer as Problem);
  } catch (error) {
    throw error instanceof ConnectError ? error : passing(new ConnectError("network"));
  }
}

async function send(path: string, body?: object): Promise<Response> {
  const token = await sessionToken();
  const headers: Record<string, string> = { "X-Hitchpost": "1" };
  if (body) headers["Content-Type"] = "application/json";
  if (token) headers["Authorization"] = `Bearer ${token}`;
  return fetch(`${settings.base}/v1/${path}`, {
    method: body ? "POST" : "GET",
    headers,
    body: body ? JSON.stringify(body) : null,
    credentials: token ? "omit" : "same-origin",
    signal: AbortSignal.timeout(PATIENCE),
  });
}

function explain({ status, headers }: Response, { code = "", title, next_step }: Problem): ConnectError {
  const trouble = status > 499 || status === 429;
  const error = new ConnectError(publicCode(status, code, trouble), title, next_step);
  return trouble ? passing(error, (Number(headers.get("Retry-After")) || 0) * 1000) : error;
}

function publicCode(status: number, code: string, trouble: boolean): ConnectErrorCode {
  if (status === 401) return "not_signed_in";
  if (/^(un|connector_un)/.test(code) && /connector/.test(code)) return "connector_unavailable";
  return trouble ? "partner_unavailable" : "invalid_request";
}
