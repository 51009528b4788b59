// What the script shares with the files it loads later. They are built separately, and must not have copies of its state.
import { begin } from "./bff.js";
import { logError } from "./log.js";
import { requestOf } from "./connect.js";
import { press, run } from "./controller.js";
import { errorOf } from "./errors.js";
import { disconnect, openSignIn } from "./flow.js";
import { load, offers, refresh, redraw, subscribers, wordOf } from "./labels.js";
import { hooks } from "./hooks.js";
import { openPopup } from "./popup.js";
import { flowOf, flows, matchesRequest } from "./registry.js";
import { readRequest } from "./request.js";
import { bffOrigin, identity, settings } from "./session.js";

export const kit = {
  begin, bffOrigin, logError, disconnect, errorOf, flowOf, flows, hooks, load, offers, openSignIn, openPopup, press, readRequest, refresh, redraw, requestOf,
  run, settings, matchesRequest, subscribers, wordOf,
  /** Grows whenever another user may have signed in. */
  who: (): number => identity,
};

export type Kit = typeof kit;
