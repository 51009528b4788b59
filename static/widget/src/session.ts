// The settings, and the session token of the signed-in user.
import { logError } from "./log.js";
import type { Session, Settings } from "./types.js";

/** How long (milliseconds) before its expiry a token is renewed, since it must outlive the call. */
const TOKEN_MARGIN = 30_000;
/** How long (milliseconds) to wait for a token before it is requested again. */
const TOKEN_TIMEOUT = 15_000;
/** Statuses above this one (429, and server errors) mean that the same call may succeed later, and not that nobody is signed in. */
const MAX_FINAL_STATUS = 428;

/** The current settings, which `configure` changes. Without a prototype, so that `__proto__` is a plain key. */
export const settings = { __proto__: null } as unknown as Settings & InternalSettings;

/** Settings that are not the page's: `files` comes from the script's URL, `advice` from a CSP violation, the rest from the BFF. */
export interface InternalSettings {
  /** URL of the folder with the script's other files. */
  files?: string;
  /** What the page's developers should change, if the page's CSP blocks the BFF. */
  advice?: string | undefined;
  /** The language of the loaded texts. */
  lang?: string;
  /** The product's look: CSS declarations, checked by the BFF. */
  style?: string;
}

/** The origin of the BFF; empty until `base` and `product` are set. */
export function bffOrigin(): string {
  try {
    // Resolved against `baseURI`, because the page may be a frame without a URL of its own: its `location` is `about:...`.
    return settings.product && settings.base && new URL(settings.base, document.baseURI).origin;
  } catch {
    return "";
  }
}

/**
 * A number that grows whenever another user may have signed in: attempts and configurations of one epoch must not be used in
 * the next.
 */
export let userEpoch = 0;

let currentToken: Promise<string> | undefined;
/** Until when the token is used (milliseconds, as `Date.now()`). While it is being requested: until when its request is waited for. */
let tokenUntil = 0;
/** Stands for the newest request of a token. */
let newestRequest: object | undefined;

/**
 * Sets where the BFF is, which product this is, and how to get a session token. Settings that are left out keep their value.
 * Call it again when another user signs in without a reload.
 */
export function configure(given: Partial<Settings & InternalSettings>): void {
  Object.assign(settings, given);
  settings.base = ((settings.base as string | undefined) ?? "").replace(/\/+$/, ""); // A build may have left the variable for it unset.
  userEpoch++;
  dropToken();
}

/**
 * The session function that reads the host's session URL. It has the URL as its property `url`, by which diagnose.js knows where the
 * session is from. An empty session means that nobody is signed in. Rejects with a TypeError if the session cannot be read now, and
 * with a SyntaxError if the answer is no JSON.
 */
export const sessionFrom = (url: string): (() => Promise<Session>) & { url: string } =>
  Object.assign(async (): Promise<Session> => {
    let response = await fetch(url, { cache: "no-store", redirect: "manual" });
    // A redirect has the status 0. One to a sign-in page on another origin cannot be followed: nobody is signed in.
    if (!response.status) response = await fetch(url).catch(() => response);
    if (response.status > MAX_FINAL_STATUS) throw new TypeError();
    return response.ok ? ((await response.json()) as Session) : {};
  }, { url });

/**
 * The session token; empty if nobody is signed in, undefined if cookies authenticate the user. Rejects with a TypeError if the token
 * cannot be read now.
 */
export function sessionToken(): Promise<string> | undefined {
  const { session } = settings;
  if (session && Date.now() >= tokenUntil) {
    tokenUntil = Date.now() + TOKEN_TIMEOUT;
    currentToken = requestToken(session);
  }
  return session && currentToken;
}

/** Drops the token. Returns whether another one can be requested. */
export function dropToken(): boolean {
  tokenUntil = 0;
  return !!settings.session;
}

async function requestToken(source: NonNullable<Settings["session"]>): Promise<string> {
  const request = (newestRequest = {});
  let until = 0;
  try {
    const given = (await source()) as string | Session | null | undefined;
    const { token, expires_in, status } = (typeof given === "string" ? { token: given } : (given ?? {})) as Session & { status: number };
    if (status > MAX_FINAL_STATUS) throw new TypeError(); // The host has passed on a refusal of the BFF, a problem document (RFC 9457).
    if (token) {
      until = expires_in ? Date.now() + expires_in * 1000 - TOKEN_MARGIN : Infinity; // From now, because clocks differ.
      return token;
    }
  } catch (error) {
    logError(error);
    if (error instanceof TypeError) throw error; // How fetch reports a network error.
  } finally {
    // A newer request keeps its time. `&&=`: if `configure` or a refusal has set it to 0 meanwhile, this token may be the previous
    // user's, and must not be used again.
    if (request === newestRequest) tokenUntil &&= until;
  }
  return "";
}
