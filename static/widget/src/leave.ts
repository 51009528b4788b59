// Sends this tab to a sign-in.
import { make, append } from "./dom.js";
import type { Kit } from "./kit.js";
import { adviceOn } from "./policy.js";
import type { Attempt } from "./types.js";

/** How long (milliseconds) a browser may take to check a form against the page's policy. */
export const POLICY_CHECK_TIME = 1000;

/** Posts the launch token from this tab. It is a form because a launch token must not stand in a URL. */
export function leave(kit: Kit, { launch_token, origin_hidden }: Attempt, refused: () => void): void {
  const onViolation = (event: SecurityPolicyViolationEvent): void => {
    if (adviceOn(kit, event, "form-action")) refused();
  };
  addEventListener("securitypolicyviolation", onViolation);
  // If the user comes back to this page, later violations are not about this sign-in.
  setTimeout(() => { removeEventListener("securitypolicyviolation", onViolation); }, POLICY_CHECK_TIME);
  if (origin_hidden) {
    kit.logError(origin_hidden);
    // The form then sends the page's origin, which proves that this page began the attempt.
    append(document.head, make("meta", { name: "referrer", content: "origin" }));
  }
  const field = make("input", { name: "launch_token", value: launch_token });
  // Into this tab, even if the page has a `<base target>`.
  const form = make("form", { method: "POST", target: "_self", action: `${kit.settings.base}/connect/launch` }, field);
  append(document.body, form);
  try {
    form.submit();
  } catch {
    // Firefox throws, and reports the violation as well.
  }
  form.remove();
}
