// Who is signed in: the settings, and the session token that goes with each call.
import { ConnectError } from "./errors.js";
import type { Session, Settings } from "./types.js";

/** A token this near its end (milliseconds) might not outlive the call. */
const EARLY = 30_000;

/** In force now; `configure` changes them. */
export const settings = { __proto__: null, base: "", product: "" } as unknown as Settings;

/** Where the BFF's pages come from. */
export const bffOrigin = (): string => new URL(settings.base, location.href).origin;

/** Grows whenever another user may have signed in: what was prepared for the last one is not for the next. */
export let identity = 0;

let current: Promise<string> | undefined;
let until = 0;

/**
 * Says where the BFF is, for which product, and how to get a session token. What is left out stays as it was.
 * Call it again when another user signs in without a reload.
 */
export function configure(given: Partial<Settings>): void {
  Object.assign(settings, given);
  settings.base = settings.base.replace(/\/+$/, "");
  identity++;
  renewSession();
}

/** Reads the session from a URL of the host's own. */
export async function fetchSession(url: string): Promise<Session> {
  const response = await fetch(url, { cache: "no-store" });
  if (response.status > 499) throw new TypeError(); // Out of order, which says nothing of the user.
  return response.ok ? ((await response.json()) as Session) : {};
}

/** The session token, or undefined when cookies say who is signed in. Throws `not_signed_in` or `network`. */
export async function sessionToken(): Promise<string | undefined> {
  const { session } = settings;
  if (session && Date.now() >= until) {
    until = Infinity;
    current = ask(session);
  }
  return session && current;
}

/** Drops the token that the BFF refused. False when there is nowhere to get another. */
export function renewSession(): boolean {
  until = 0;
  return !!settings.session;
}

async function ask(source: NonNullable<Settings["session"]>): Promise<string> {
  let refusal: ConnectError["code"] = "not_signed_in";
  try {
    const given = await source();
    const { token, expires_at } = typeof given === "string" ? { token: given } : given;
    if (expires_at) until = Date.parse(expires_at) - EARLY;
    if (token) return token;
  } catch (error) {
    // A TypeError is how fetch says that it did not get through.
    if (error instanceof TypeError) refusal = "network";
  }
  renewSession();
  throw new ConnectError(refusal);
}
