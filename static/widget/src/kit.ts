// What the script shares with the lazy modules (hooks.ts). They are built separately, and must not have copies of its state.
import { beginAttempt, call as callBff } from "./bff.js";
import { logError } from "./log.js";
import { bodyOf } from "./sign-in.js";
import { press, run } from "./controller.js";
import { errorOf } from "./errors.js";
import { disconnect } from "./report.js";
import { loadConfig, offerOf, offersIn, refresh, redraw, subscribers, wordOf } from "./config.js";
import { hooks } from "./hooks.js";
import { watchSignIn, openSignIn } from "./popup.js";
import { adoptFlow, flows, matchesRequest } from "./registry.js";
import { readRequest } from "./request.js";
import { bffOrigin, userEpoch, settings } from "./session.js";

// Only the panel's own hooks call `kit.bodyOf` and `kit.openSignIn`, which they extend (delivery.ts). All others call `hooks.*`.
export const kit = {
  beginAttempt, bffOrigin, callBff, logError, disconnect, errorOf, adoptFlow, flows, hooks, loadConfig, offerOf, offersIn, openSignIn, watchSignIn, press, readRequest, refresh,
  redraw, bodyOf, run, settings, matchesRequest, subscribers, wordOf,
  /** The current value of `userEpoch` (session.ts). */
  userEpoch: (): number => userEpoch,
};

export type Kit = typeof kit;
