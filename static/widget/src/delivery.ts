// Chooses between a popup and this tab for a sign-in, and tests whether the page's CSP lets this tab be used.
import { make, append } from "./dom.js";
import type { Kit } from "./kit.js";
import { leave, CSP_REPORT_TIME } from "./leave.js";
import type { Hooks } from "./hooks.js";
import { adviceOn } from "./csp.js";
import type { ConnectRequest } from "./types.js";

/** The hooks for opening a sign-in, and `testFormAction`, which is called before the click. */
export function deliveryHooks(kit: Kit): Pick<Hooks, "open" | "bodyOf"> & { testFormAction: (request: ConnectRequest) => void } {
  let tested = false;
  // In a frame only a popup will do: the BFF's pages refuse to be framed, and most partner services' do too.
  let formBlocked = self !== top;

  const usesThisTab = ({ delivery }: ConnectRequest): boolean => delivery === "return" && !formBlocked;
  return {
    open(request, onFormBlocked) {
      // For a connector that is known to be unavailable, an inert handle: `take` rejects with the reason.
      if (kit.offerOf(request)?.error) return kit.watchSignIn();
      if (!usesThisTab(request)) return kit.openSignIn(request);
      const tab = kit.watchSignIn(undefined, (attempt) => { leave(kit, attempt, onFormBlocked); });
      tab.queueSignal("ready"); // There is no opening page to wait for.
      return tab;
    },
    bodyOf(request) {
      // For a popup `delivery` is left out. The body is the key of prefetched attempts (prefetch.ts), and one that was made
      // before the default delivery was loaded must have the same key.
      return { ...kit.bodyOf(request), ...(usesThisTab(request) && { delivery: "return", return_url: location.href }) };
    },
    /** Tests once whether the page's CSP lets this tab post a form to the BFF. In the click it would take too long. */
    testFormAction(request) {
      if (tested || !usesThisTab(request)) return;
      tested = true;
      submitTestForm(kit, () => { formBlocked = true; });
    },
  };
}

/**
 * Submits a form into a hidden frame, which makes the browser check the page's CSP (`form-action`). Without this test a
 * blocked form would use up the click, and the browser would then block a popup too.
 */
function submitTestForm(kit: Kit, onFormBlocked: () => void): void {
  const frame = make("iframe", { name: "hitchpost-form", hidden: true });
  const form = make("form", { action: `${kit.settings.base}/health/live`, target: frame.name, hidden: true });
  addEventListener("securitypolicyviolation", (event) => {
    if (adviceOn(kit, event, "form-action")) onFormBlocked();
  });
  append(document.body, frame, form);
  try {
    form.submit();
  } catch {
    onFormBlocked(); // Firefox throws.
  }
  form.remove();
  setTimeout(() => { frame.remove(); }, CSP_REPORT_TIME);
}
