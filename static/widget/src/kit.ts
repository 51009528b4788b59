// What the script shares with the lazy modules (hooks.ts). They are built separately, and must not have copies of its state.
import { beginAttempt, call as callBff } from "./bff.js";
import { logError } from "./log.js";
import { press, run } from "./controller.js";
import { errorOf } from "./errors.js";
import { fire } from "./events.js";
import { disconnect } from "./report.js";
import { loadConfig, loadedConnectors, refresh, redraw, subscribers, wordOf } from "./config.js";
import { hooks } from "./hooks.js";
import { importWithRetries } from "./imports.js";
import { openAndWatch } from "./popup.js";
import { adoptFlow, flows, matchesRequest } from "./registry.js";
import { readRequest } from "./request.js";
import { bffOrigin, userEpoch, settings } from "./session.js";
import { humanize, words } from "./words.js";

/** All that the lazy modules use of the script. */
export const kit = {
  beginAttempt, bffOrigin, callBff, logError, disconnect, errorOf, adoptFlow, fire, flows, hooks, humanize, importWithRetries, loadConfig, loadedConnectors, openAndWatch, press, readRequest, refresh,
  redraw, run, settings, matchesRequest, subscribers, texts: words, wordOf,
  /** The current value of `userEpoch` (session.ts). */
  userEpoch: (): number => userEpoch,
};

export type Kit = typeof kit;
