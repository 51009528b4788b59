// A sign-in that takes this tab, in place of a window.
import { make, put } from "./dom.js";
import type { Kit } from "./kit.js";
import { adviceOn } from "./policy.js";
import type { Attempt } from "./types.js";

/** So long (milliseconds) a browser may take to look at the policy. */
export const LOOKED = 1000;

/** Sends this tab to the sign-in. It is a form, since a launch token never stands in a URL. */
export function leave(kit: Kit, { launch_token, origin_hidden }: Attempt, refused: () => void): void {
  const hear = (event: SecurityPolicyViolationEvent): void => {
    if (adviceOn(kit, event, "form-action")) refused();
  };
  addEventListener("securitypolicyviolation", hear);
  // Where the user comes back to this page, what is refused later is no news of this sign-in.
  setTimeout(() => { removeEventListener("securitypolicyviolation", hear); }, LOOKED);
  if (origin_hidden) {
    kit.complain(origin_hidden);
    // The form then shows it, which proves that the page itself began; the BFF has known it all along, from its calls.
    put(document.head, make("meta", { name: "referrer", content: "origin" }));
  }
  const field = make("input", { name: "launch_token", value: launch_token });
  // Into this tab, whatever the page's `<base target>` says of its own forms.
  const form = make("form", { method: "POST", target: "_self", action: `${kit.settings.base}/connect/launch` }, field);
  put(document.body, form);
  try {
    form.submit();
  } catch {
    // Firefox throws what it reports as a violation.
  }
  form.remove();
}
