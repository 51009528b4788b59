// Chooses between a popup and this tab for a sign-in, and tests whether the page's CSP lets this tab be used.
import { connectorOf } from "./connector.js";
import { make, append } from "./dom.js";
import type { Kit } from "./kit.js";
import { leave, submitForm, FORM_REPORT_TIME } from "./leave.js";
import type { Hooks } from "./hooks.js";
import type { ConnectRequest } from "./types.js";

/** The hooks for opening a sign-in, and `testFormAction`, which is called before the click. */
export function deliveryHooks(kit: Kit): Pick<Hooks, "openSignIn" | "bodyOf"> & { testFormAction: (request: ConnectRequest) => void } {
  const { openSignIn, bodyOf } = kit.hooks; // The script's own, which these extend.
  let tested = false;
  // In a frame only a popup will do: the BFF's pages refuse to be framed, and most partner services' do too.
  let tabUnusable = self !== top;

  const usesThisTab = ({ delivery }: ConnectRequest): boolean => delivery === "return" && !tabUnusable;
  return {
    openSignIn(request, onFormBlocked, existing) {
      // For a connector that is known to be unavailable, an inert handle: `takeAttempt` rejects with the reason.
      if (existing || connectorOf(kit, request)?.error) return kit.openAndWatch();
      if (!usesThisTab(request)) return openSignIn(request, onFormBlocked);
      const tab = kit.openAndWatch(undefined, (attempt) => {
        leave(kit, attempt, () => {
          tabUnusable = true; // Not for the next press either.
          onFormBlocked();
        });
      });
      tab.queueSignal("ready"); // There is no opening page to wait for.
      return tab;
    },
    bodyOf(request) {
      // For a popup `delivery` is left out. The body is the key of prefetched attempts (prefetch.ts), and one that was made
      // before the default delivery was loaded must have the same key.
      return { ...bodyOf(request), ...(usesThisTab(request) && { delivery: "return", return_url: location.href }) };
    },
    /** Tests once whether the page's CSP lets this tab post a form to the BFF. In the click it would take too long. */
    testFormAction(request) {
      if (tested || !usesThisTab(request)) return;
      tested = true;
      submitTestForm(kit, () => { tabUnusable = true; });
    },
  };
}

/**
 * Submits a form into a hidden frame, which makes the browser check the page's CSP (`form-action`). Without this test a
 * blocked form would use up the click, and the browser would then block a popup too.
 */
function submitTestForm(kit: Kit, onFormBlocked: () => void): void {
  const frame = make("iframe", { name: "hitchpost-form", hidden: true });
  append(document.body, frame);
  submitForm(kit, make("form", { action: `${kit.settings.base}/health/live`, target: frame.name, hidden: true }), onFormBlocked);
  setTimeout(() => { frame.remove(); }, FORM_REPORT_TIME);
}
