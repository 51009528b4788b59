// Sends this tab to a sign-in.
import { make, append } from "./dom.js";
import type { Kit } from "./kit.js";
import { adviceOn } from "./csp.js";
import type { Attempt } from "./types.js";

/** How long (milliseconds) a browser may take to report that the page's CSP blocked a form. */
export const CSP_REPORT_TIME = 1000;

/**
 * Posts the launch token from this tab, by a form, because a launch token must not be in a URL. Calls `onFormBlocked` if
 * the page's CSP (`form-action`) blocks the form.
 */
export function leave(kit: Kit, { launch_token, origin_hidden }: Attempt, onFormBlocked: () => void): void {
  const onViolation = (event: SecurityPolicyViolationEvent): void => {
    if (adviceOn(kit, event, "form-action")) onFormBlocked();
  };
  addEventListener("securitypolicyviolation", onViolation);
  // If the user comes back to this page, later violations are not about this sign-in.
  setTimeout(() => { removeEventListener("securitypolicyviolation", onViolation); }, CSP_REPORT_TIME);
  if (origin_hidden) {
    kit.logError(origin_hidden);
    // Makes the form send the page's origin, which proves that this page began the attempt. It stays: if the user comes back, this
    // page goes on sending its origin.
    append(document.head, make("meta", { name: "referrer", content: "origin" }));
  }
  const field = make("input", { name: "launch_token", value: launch_token });
  // `_self`, in case the page has a `<base target>`.
  const form = make("form", { method: "POST", target: "_self", action: `${kit.settings.base}/connect/launch` }, field);
  append(document.body, form);
  try {
    form.submit();
  } catch {
    // Firefox throws if the CSP blocks the form. It reports the violation as well.
  }
  form.remove();
}
