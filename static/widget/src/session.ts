// Who is signed in: the settings, and the session token that goes with each call.
import { ConnectError, passing } from "./errors.js";
import type { Settings } from "./types.js";

/** A session token; `expires_at` in ISO 8601 where it is known. */
export interface Session {
  token?: string;
  expires_at?: string;
}

/** A token this near its end (milliseconds) might not outlive the call. */
const EARLY = 30_000;

/** In force now; `configure` changes them. */
export const settings: Settings = { base: "", product: "" };

/** Grows whenever another user may have signed in: what was prepared for the last one is not for the next. */
export let identity = 0;

let source: (() => Promise<Session>) | undefined;
let current: Promise<string> | undefined;
let until = 0;

/**
 * Says where the BFF is, for which product, and how to get a session token. What is left out stays as it was.
 * Call it again when another user signs in without a reload.
 */
export function configure(given: Partial<Settings>): void {
  Object.assign(settings, given);
  settings.base = settings.base.replace(/\/+$/, "");
  const { session } = given;
  if (session) useSession(async () => ({ token: await session() }));
}

/** Takes session tokens from here on. */
export function useSession(from: () => Promise<Session>): void {
  source = from;
  identity++;
  renewSession();
}

/** Reads the session from a URL of the host's own. */
export async function fetchSession(url: string): Promise<Session> {
  const response = await fetch(url, { credentials: "same-origin", cache: "no-store" });
  if (response.status > 499) throw passing(new ConnectError("not_signed_in"));
  return response.ok ? ((await response.json()) as Session) : {};
}

/** The session token, or undefined when cookies say who is signed in. Throws `not_signed_in` or `network`. */
export async function sessionToken(): Promise<string | undefined> {
  if (source && !(Date.now() < until)) {
    until = Infinity;
    current = source().then(keep).catch(explain);
  }
  return current;
}

/** Drops the token that the BFF refused. False when there is nowhere to get another. */
export function renewSession(): boolean {
  until = 0;
  return !!source;
}

function keep({ token, expires_at }: Session): string {
  if (!token) throw new ConnectError("not_signed_in");
  if (expires_at) until = Date.parse(expires_at) - EARLY;
  return token;
}

function explain(error: unknown): never {
  renewSession();
  // A TypeError is how fetch says that nothing was reached.
  if (error instanceof TypeError) throw passing(new ConnectError("network"));
  throw error instanceof ConnectError ? error : new ConnectError("not_signed_in");
}
