// A sign-in that takes this tab, in place of a window.
import { complain } from "./complain.js";
import { requestOf } from "./connect.js";
import { make } from "./dom.js";
import { openFor, type ConnectRequest } from "./flow.js";
import { adviceOn } from "./policy.js";
import { openPopup, type Popup } from "./popup.js";
import { settings } from "./session.js";
import type { Attempt, AttemptRequest } from "./types.js";

const returns = ({ delivery }: ConnectRequest): boolean => delivery === "return";

/** Opens the window of a sign-in, or gets this tab ready to leave; `refused` is called if the page's policy keeps it. Call it inside a click. */
export function open(request: ConnectRequest, refused: () => void): Popup {
  if (!returns(request)) return openFor(request);
  const tab = openPopup(undefined, (attempt) => { leave(attempt, refused); });
  tab.nudge("ready");
  return tab;
}

/** What to ask of the BFF for this sign-in. */
export function attemptFor(request: ConnectRequest): AttemptRequest {
  // What is the default goes unsaid: else an attempt that was made before the BFF told it would not be the one asked for.
  return { ...requestOf(request), ...(returns(request) && { delivery: "return", return_url: location.href }) };
}

/** Sends this tab to the sign-in. It is a form, since a launch token never stands in a URL. */
function leave({ launch_token, origin_hidden }: Attempt, refused: () => void): void {
  addEventListener("securitypolicyviolation", (event) => {
    if (adviceOn(event, "form-action")) refused();
  }, { once: true });
  if (origin_hidden) {
    complain(origin_hidden);
    // The form then shows it, which proves that the page itself began; the BFF has known it all along, from its calls.
    document.head.append(make("meta", { name: "referrer", content: "origin" }));
  }
  const field = make("input", { name: "launch_token", value: launch_token });
  const form = make("form", { method: "POST", action: `${settings.base}/connect/launch` }, field);
  document.body.append(form);
  form.submit();
  form.remove();
}
