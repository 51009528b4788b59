// A flow outlives its page: what this tab remembers for a reload (resumed.ts).
import type { ConnectRequest } from "./flow.js";
import { settings } from "./session.js";

/** An entry for each attempt: no flow overwrites another's, and no value of the host's is taken for one of ours. */
export const keyOf = (id: string): string => `hitchpost ${settings.product} ${id}`;

/** Remembers an attempt in this tab. Nothing secret: it takes the user's session to read it. */
export const remember = (id: string, { connector, message, connection }: ConnectRequest): unknown =>
  inStorage((storage) => { storage.setItem(keyOf(id), [connector, message, connection].join(" ").trim()); }); // None holds a space.

/** Forgets it. */
export const forget = (id: string | undefined): unknown => id && inStorage((storage) => { storage.removeItem(keyOf(id)); });

function inStorage<Found>(act: (storage: Storage) => Found): Found | undefined {
  try {
    return act(sessionStorage);
  } catch {
    return undefined; // A page without storage cannot resume; all else works.
  }
}
