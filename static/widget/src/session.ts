// Who is signed in: the settings, and the session token that goes with each call.
import { complain } from "./complain.js";
import { ConnectError } from "./errors.js";
import type { Session, Settings } from "./types.js";

/** A token this near its end (milliseconds) might not outlive the call. */
const EARLY = 30_000;
/** A token that has not come in this time (milliseconds) is asked for again. */
const PATIENCE = 15_000;

/** In force now; `configure` changes them. */
export const settings = { __proto__: null, base: "" } as unknown as Settings & Told;

/** What is told beside what the page says. */
export interface Told {
  /** Where the script's other files are. */
  files?: string;
  /** What to change on a page that keeps us from the BFF. */
  advice?: string | undefined;
  /** The language of the words. */
  lang?: string;
  /** The product's look: CSS declarations, checked by the BFF. */
  style?: string;
}

/** Where the BFF's pages come from; nothing until the page has said which BFF, and for which product. */
export function bffOrigin(): string {
  try {
    // The address of a frame made from a text is no base for another; its document has its parent's.
    return settings.product && settings.base && new URL(settings.base, document.baseURI).origin;
  } catch {
    return "";
  }
}

/** Grows whenever another user may have signed in: what was prepared for the last one is not for the next. */
export let identity = 0;

let current: Promise<string> | undefined;
let until = 0;

/**
 * Says where the BFF is, for which product, and how to get a session token. What is left out stays as it was.
 * Call it again when another user signs in without a reload.
 */
export function configure(given: Partial<Settings & Told>): void {
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

/** The session token, or undefined when cookies say who is signed in. Throws `not_signed_in`, or a TypeError when it cannot be had now. */
export function sessionToken(): Promise<string> | undefined {
  const { session } = settings;
  if (session && Date.now() >= until) {
    until = Date.now() + PATIENCE;
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
  let failure: unknown = new ConnectError("not_signed_in");
  try {
    const given = (await source()) as string | Session | null | undefined;
    const { token, expires_in }: Session = typeof given === "string" ? { token: given } : (given ?? {});
    // Its life is counted from now, as no two clocks agree. Where nobody tells it, the token is good until the BFF refuses it.
    until = expires_in ? Date.now() + expires_in * 1000 - EARLY : Infinity;
    if (token) return token;
  } catch (error) {
    complain(error);
    if (error instanceof TypeError) failure = error; // It is how fetch says that it did not get through.
  }
  renewSession();
  throw failure;
}
