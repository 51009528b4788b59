// A sign-in that takes this tab, in place of a window.
import { make, put } from "./dom.js";
import type { ConnectRequest } from "./flow.js";
import type { Kit } from "./kit.js";
import { leave, LOOKED } from "./leave.js";
import type { Later } from "./later.js";
import { adviceOn } from "./policy.js";

/** How a sign-in begins where it may take this tab. */
export function deliverer(kit: Kit): Pick<Later, "open" | "ask"> & { prepare: (request: ConnectRequest) => void } {
  let tried = false;
  let refused = false;

  const returns = ({ delivery }: ConnectRequest): boolean => delivery === "return" && !refused;
  return {
    open(request, gone) {
      // What is known not to be connectable opens nothing: `take` says why.
      if (kit.offers[request.connector]?.error) return kit.openPopup();
      if (!returns(request)) return kit.openFor(request);
      const tab = kit.openPopup(undefined, (attempt) => { leave(kit, attempt, gone); });
      tab.nudge("ready");
      return tab;
    },
    ask(request) {
      // What is the default goes unsaid: else an attempt that was made before the BFF told it would not be the one asked for.
      return { ...kit.requestOf(request), ...(returns(request) && { delivery: "return", return_url: location.href }) };
    },
    /** Finds out whether this tab may leave, where it is to: in the click there is no time for it. */
    prepare(request) {
      if (tried || !returns(request)) return;
      tried = true;
      tryForm(kit, () => { refused = true; });
    },
  };
}

/**
 * Submits a form into a hidden frame: browsers look at the page's policy (`form-action`) first. Without this the click would be spent by the form, and a window be blocked.
 */
function tryForm(kit: Kit, refused: () => void): void {
  const frame = make("iframe", { name: "hitchpost-form", hidden: true });
  const form = make("form", { action: `${kit.settings.base}/health/live`, target: frame.name, hidden: true });
  addEventListener("securitypolicyviolation", (event) => {
    if (adviceOn(kit, event, "form-action")) refused();
  });
  put(document.body, frame, form);
  try {
    form.submit();
  } catch {
    refused(); // So Firefox says it.
  }
  form.remove();
  setTimeout(() => { frame.remove(); }, LOOKED);
}
