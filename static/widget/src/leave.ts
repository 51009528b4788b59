// Sends this tab to a sign-in.
import { make, append } from "./dom.js";
import type { Kit } from "./kit.js";
import { logCspAdvice } from "./csp.js";
import type { Attempt } from "./types.js";

/**
 * How long (milliseconds) a browser may take to report that the page's CSP blocked a form. Nobody waits for it, so it is longer than
 * the pause after a failed call (`CSP_REPORT_DELAY` in bff.ts).
 */
export const FORM_REPORT_TIME = 1000;

/** Posts the launch token from this tab, by a form, because a launch token must not be in a URL. `onFormBlocked`: see `submitForm`. */
export function leave(kit: Kit, { launch_token, origin_hidden }: Attempt, onFormBlocked: () => void): void {
  if (origin_hidden) {
    kit.logError(origin_hidden);
    // Makes the form send the page's origin, which proves that this page began the attempt. It stays: if the user comes back, this
    // page goes on sending its origin.
    append(document.head, make("meta", { name: "referrer", content: "origin" }));
  }
  const field = make("input", { name: "launch_token", value: launch_token });
  // `_self`, in case the page has a `<base target>`.
  submitForm(kit, make("form", { method: "POST", target: "_self", action: `${kit.settings.base}/connect/launch` }, field), onFormBlocked);
}

/** Submits a form. Calls `onFormBlocked` once if the page's CSP (`form-action`) blocks it, by however many of its policies. */
export function submitForm(kit: Kit, form: HTMLFormElement, onFormBlocked: () => void): void {
  const onViolation = (event: SecurityPolicyViolationEvent): void => {
    if (!logCspAdvice(kit, event, "form-action")) return;
    stopListening();
    onFormBlocked();
  };
  const stopListening = (): void => { removeEventListener("securitypolicyviolation", onViolation); };
  addEventListener("securitypolicyviolation", onViolation);
  // If the user comes back to this page, later violations are not about this form.
  setTimeout(stopListening, FORM_REPORT_TIME);
  append(document.body, form);
  try {
    form.submit();
  } catch {
    // Firefox throws if the CSP blocks the form. It reports the violation as well.
  }
  form.remove();
}
