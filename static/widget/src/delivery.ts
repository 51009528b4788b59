// Chooses between a popup and this tab for a sign-in, and tests whether this tab may be used.
import { make, append } from "./dom.js";
import type { ConnectRequest } from "./flow.js";
import type { Kit } from "./kit.js";
import { leave, POLICY_CHECK_TIME } from "./leave.js";
import type { Hooks } from "./hooks.js";
import { adviceOn } from "./policy.js";

/** The hooks for opening a sign-in, and `prepare`, which tests the page's policy before the click. */
export function deliveryHooks(kit: Kit): Pick<Hooks, "open" | "ask"> & { prepare: (request: ConnectRequest) => void } {
  let tested = false;
  let refused = false;

  const returns = ({ delivery }: ConnectRequest): boolean => delivery === "return" && !refused;
  return {
    open(request, refusedLater) {
      // A connector that is known not to be connectable opens no window: `take` rejects with the reason.
      if (kit.offers[request.connector]?.error) return kit.openPopup();
      if (!returns(request)) return kit.openSignIn(request);
      const tab = kit.openPopup(undefined, (attempt) => { leave(kit, attempt, refusedLater); });
      tab.queueSignal("ready");
      return tab;
    },
    ask(request) {
      // The default delivery is left out, so that an attempt made before the BFF told it still matches.
      return { ...kit.requestOf(request), ...(returns(request) && { delivery: "return", return_url: location.href }) };
    },
    /** Tests whether the page's policy lets this tab post a form to the BFF. In the click there is no time for it. */
    prepare(request) {
      if (tested || !returns(request)) return;
      tested = true;
      submitTestForm(kit, () => { refused = true; });
    },
  };
}

/**
 * Submits a form into a hidden frame: browsers then check it against the page's policy (`form-action`). Without this test
 * the click would be used up by a blocked form, and a window opened afterwards be blocked too.
 */
function submitTestForm(kit: Kit, refused: () => void): void {
  const frame = make("iframe", { name: "hitchpost-form", hidden: true });
  const form = make("form", { action: `${kit.settings.base}/health/live`, target: frame.name, hidden: true });
  addEventListener("securitypolicyviolation", (event) => {
    if (adviceOn(kit, event, "form-action")) refused();
  });
  append(document.body, frame, form);
  try {
    form.submit();
  } catch {
    refused(); // Firefox throws.
  }
  form.remove();
  setTimeout(() => { frame.remove(); }, POLICY_CHECK_TIME);
}
