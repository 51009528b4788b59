// How a sign-in is delivered: in a window of its own, or in this tab.
import { requestOf } from "./connect.js";
import { openFor, type ConnectRequest } from "./flow.js";
import { later } from "./later.js";
import { openPopup, type Popup } from "./popup.js";
import type { AttemptRequest } from "./types.js";

const returns = ({ delivery }: ConnectRequest): boolean => delivery === "return";

/** Opens the window of a sign-in, or gets this tab ready to leave; `refused` is called if the page's policy keeps it. Call it inside a click. */
export function open(request: ConnectRequest, refused: () => void): Popup {
  if (!returns(request)) return openFor(request);
  const tab = openPopup(undefined, (attempt) => { void later.ready?.then(() => { later.leave(attempt, refused); }); });
  tab.nudge("ready");
  return tab;
}

/** What to ask of the BFF for this sign-in. */
export function attemptFor(request: ConnectRequest): AttemptRequest {
  // What is the default goes unsaid: else an attempt that was made before the BFF told it would not be the one asked for.
  return { ...requestOf(request), ...(returns(request) && { delivery: "return", return_url: location.href }) };
}
