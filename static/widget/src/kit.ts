// What the script's other files get of it: each is built by itself, and has nothing of its own to remember.
import { complain } from "./complain.js";
import { begin } from "./bff.js";
import { press, run } from "./controller.js";
import { attemptFor } from "./delivery.js";
import { disconnect } from "./flow.js";
import { load, offers, refresh, renew, watchers, wordOf } from "./labels.js";
import { later } from "./later.js";
import { flowOf, flows } from "./registry.js";
import { readRequest } from "./request.js";
import { keyOf } from "./resume.js";
import { bffOrigin, identity, settings } from "./session.js";

export const kit = {
  attemptFor, begin, bffOrigin, complain, disconnect, flowOf, flows, keyOf, later, load, offers, press, readRequest, refresh, renew, run, settings, watchers, wordOf,
  /** Grows whenever another user may have signed in. */
  who: (): number => identity,
};

export type Kit = typeof kit;
