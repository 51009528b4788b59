// A host page whose Content-Security-Policy keeps us from the BFF. Its fetch fails as a lost network does, and its form
// goes nowhere, so the browser's own report of the violation is what tells.
import { complain } from "./complain.js";
import { bffOrigin } from "./session.js";

/** What to add to the page's policy, once the browser has refused a call to the BFF for it. */
export let advice: string | undefined;

let refuse: (() => void) | undefined;

/** Listens for the browser's report, and tells the console once. Called again, it changes nothing. */
export function watchPolicy(): void {
  addEventListener("securitypolicyviolation", note);
}

/** Calls `act` once the page's policy keeps a form from going to the BFF. */
export function whenRefused(act: () => void): void {
  refuse = act;
}

function note({ blockedURI, effectiveDirective }: SecurityPolicyViolationEvent): void {
  const origin = bffOrigin();
  // Some browsers tell the whole URL, some its origin. A press that is lost costs a moment only: no reason to complain.
  if (!origin || !blockedURI.startsWith(origin) || blockedURI.endsWith("/press") || !/^(connect|form)-/.test(effectiveDirective)) return;
  const line = complain("add " + origin + " to " + effectiveDirective + " of this page's CSP");
  if (effectiveDirective === "form-action") refuse?.();
  else advice = line;
}
