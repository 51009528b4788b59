// The settings, and the session token of the user who is signed in.
import { logError } from "./log.js";
import { ConnectError } from "./errors.js";
import type { Session, Settings } from "./types.js";

/** A token is renewed so long (milliseconds) before its end, since it must outlive the call. */
const TOKEN_MARGIN = 30_000;
/** How long (milliseconds) a token may take to come before it is asked for again. */
const TOKEN_TIMEOUT = 15_000;

/** The current settings, which `configure` changes. */
export const settings = { __proto__: null, base: "" } as unknown as Settings & ServerSettings;

/** Settings that come from the script's URL and from the BFF, not from the page. */
export interface ServerSettings {
  /** URL of the folder with the script's other files. */
  files?: string;
  /** What the page's developers should change, if its policy blocks the BFF. */
  advice?: string | undefined;
  /** The language of the words. */
  lang?: string;
  /** The product's look: CSS declarations, checked by the BFF. */
  style?: string;
}

/** The origin of the BFF; empty until the page has named the BFF and the product. */
export function bffOrigin(): string {
  try {
    // Against `baseURI`: a relative URL cannot be resolved against the `about:` address of a frame made from text.
    return settings.product && settings.base && new URL(settings.base, document.baseURI).origin;
  } catch {
    return "";
  }
}

/** Grows whenever another user may have signed in: what was prepared for one user must not be used for another. */
export let identity = 0;

let current: Promise<string> | undefined;
let until = 0;

/**
 * Sets where the BFF is, which product this is, and how to get a session token. Keeps what is left out.
 * Call it again when another user signs in without a reload.
 */
export function configure(given: Partial<Settings & ServerSettings>): void {
  Object.assign(settings, given);
  settings.base = settings.base.replace(/\/+$/, "");
  identity++;
  dropToken();
}

/** Reads the session from the host's own URL. */
export async function fetchSession(url: string): Promise<Session> {
  const response = await fetch(url, { cache: "no-store" });
  if (response.status > 499) throw new TypeError(); // A server error does not mean that nobody is signed in.
  return response.ok ? ((await response.json()) as Session) : {};
}

/** The session token; undefined when cookies authenticate. Rejects with `not_signed_in`, or a TypeError when it cannot be read now. */
export function sessionToken(): Promise<string> | undefined {
  const { session } = settings;
  if (session && Date.now() >= until) {
    until = Date.now() + TOKEN_TIMEOUT;
    current = ask(session);
  }
  return session && current;
}

/** Drops the token that the BFF refused. Returns false when there is no source for another. */
export function dropToken(): boolean {
  until = 0;
  return !!settings.session;
}

async function ask(source: NonNullable<Settings["session"]>): Promise<string> {
  let failure: unknown = new ConnectError("not_signed_in");
  try {
    const given = (await source()) as string | Session | null | undefined;
    const { token, expires_in }: Session = typeof given === "string" ? { token: given } : (given ?? {});
    // Its life counts from now, as clocks differ. Without `expires_in` it is used until the BFF refuses it. A late
    // answer, for a user who has left, must not stand for the next one: `configure` has set `until` to 0.
    until &&= expires_in ? Date.now() + expires_in * 1000 - TOKEN_MARGIN : Infinity;
    if (token) return token;
  } catch (error) {
    logError(error);
    if (error instanceof TypeError) failure = error; // How fetch reports a network error.
  }
  dropToken();
  throw failure;
}
