// What the script's other files get of it: each is built by itself, and has nothing of its own to remember.
import { begin } from "./bff.js";
import { complain } from "./complain.js";
import { requestOf } from "./connect.js";
import { press, run } from "./controller.js";
import { errorOf } from "./errors.js";
import { disconnect, openFor } from "./flow.js";
import { load, offers, refresh, renew, watchers, wordOf } from "./labels.js";
import { later } from "./later.js";
import { openPopup } from "./popup.js";
import { flowOf, flows, standsFor } from "./registry.js";
import { readRequest } from "./request.js";
import { bffOrigin, identity, settings } from "./session.js";

export const kit = {
  begin, bffOrigin, complain, disconnect, errorOf, flowOf, flows, later, load, offers, openFor, openPopup, press, readRequest, refresh, renew, requestOf,
  run, settings, standsFor, watchers, wordOf,
  /** Grows whenever another user may have signed in. */
  who: (): number => identity,
};

export type Kit = typeof kit;
