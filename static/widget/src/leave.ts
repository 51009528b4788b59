// A sign-in that takes this tab, in place of a window.
import { make } from "./dom.js";
import type { Kit } from "./kit.js";
import { adviceOn } from "./policy.js";
import type { Attempt } from "./types.js";

/** Sends this tab to the sign-in. It is a form, since a launch token never stands in a URL. */
export function leave(kit: Kit, { launch_token, origin_hidden }: Attempt, refused: () => void): void {
  addEventListener("securitypolicyviolation", (event) => {
    if (adviceOn(kit, event, "form-action")) refused();
  }, { once: true });
  if (origin_hidden) {
    kit.complain(origin_hidden);
    // The form then shows it, which proves that the page itself began; the BFF has known it all along, from its calls.
    document.head.append(make("meta", { name: "referrer", content: "origin" }));
  }
  const field = make("input", { name: "launch_token", value: launch_token });
  const form = make("form", { method: "POST", action: `${kit.settings.base}/connect/launch` }, field);
  document.body.append(form);
  try {
    form.submit();
  } catch {
    // Firefox throws what it reports as a violation.
  }
  form.remove();
}
