// A flow outlives its page: what is remembered for a reload, and how to go on in this tab.
import { settings } from "./session.js";
import type { Attempt } from "./types.js";

const KEY = "hitchpost";

/** The attempt that a page left behind. Nothing secret: it takes the user's session to read it. */
export interface Remembered {
  id: string;
  connector: string;
}

/** Remembers the attempt in this tab. */
export function remember(entry: Remembered): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(entry));
  } catch {
    // A page without storage cannot resume; all else works.
  }
}

/** Forgets the attempt, unless a later one took its place. */
export function forget(id: string | undefined): void {
  if (id && recall()?.id === id) sessionStorage.removeItem(KEY);
}

/** What this tab remembers, if anything. */
export function recall(): Remembered | undefined {
  try {
    return (JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Remembered | null) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Sends this tab to the sign-in. It is a form, since a launch token never stands in a URL. */
export function leave(attempt: Attempt): void {
  const form = document.createElement("form");
  const field = document.createElement("input");
  form.method = "post";
  form.action = `${settings.base}/connect/launch`;
  form.hidden = true;
  field.name = "launch_token";
  field.value = attempt.launch_token;
  form.append(field);
  document.body.append(form);
  form.submit();
  form.remove();
}
