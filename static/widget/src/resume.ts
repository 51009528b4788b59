// A flow outlives its page: what is remembered for a reload, and how to go on in this tab.
import { make } from "./dom.js";
import { settings } from "./session.js";
import type { Attempt } from "./types.js";

const KEY = "hitchpost";

/** The attempt that a page left behind. Nothing secret: it takes the user's session to read it. */
export interface Remembered {
  id: string;
  connector: string;
}

/** Remembers the attempt in this tab; without one, forgets. */
export const remember = (entry?: Remembered): unknown =>
  inStorage((storage) => { storage[entry ? "setItem" : "removeItem"](KEY, JSON.stringify(entry)); });

/** What this tab remembers, if anything. */
export const recall = (): Remembered | null | undefined =>
  inStorage((storage) => JSON.parse(storage.getItem(KEY) as never) as Remembered | null);

function inStorage<Found>(act: (storage: Storage) => Found): Found | undefined {
  try {
    return act(sessionStorage);
  } catch {
    return undefined; // A page without storage cannot resume; all else works.
  }
}

/** Sends this tab to the sign-in. It is a form, since a launch token never stands in a URL. */
export function leave({ launch_token, origin_hidden }: Attempt): void {
  if (origin_hidden) {
    console.error("Hitchpost: set Referrer-Policy to strict-origin, to show this page's origin");
    // The form then shows it, which proves that the page itself began; the BFF has known it all along, from its calls.
    document.head.append(make("meta", { name: "referrer", content: "origin" }));
  }
  const field = make("input", { name: "launch_token", value: launch_token });
  const form = make("form", { method: "POST", action: `${settings.base}/connect/launch` }, field);
  document.body.append(form);
  form.submit();
  form.remove();
}
