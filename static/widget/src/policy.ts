// A host page whose Content-Security-Policy keeps us from the BFF. Its fetch fails as a lost network does, so the
// browser's own report of the violation is what tells the two apart.
import { bffOrigin } from "./session.js";

/** What to add to the page's policy, once the browser has refused a call to the BFF for it. */
export let advice: string | undefined;

/** Listens for the browser's report, and tells the console once. Called again, it changes nothing. */
export function watchPolicy(): void {
  addEventListener("securitypolicyviolation", note);
}

let refuse: (() => void) | undefined;

/** Calls `act` once the page's policy keeps a form from going to the BFF. */
export function whenRefused(act: () => void): void {
  refuse = act;
}

function note({ blockedURI, effectiveDirective }: SecurityPolicyViolationEvent): void {
  const origin = bffOrigin();
  // Some browsers tell the whole URL, some its origin. A press that is lost costs a moment only: no reason to complain.
  if (!blockedURI.startsWith(origin) || blockedURI.endsWith("/press")) return;
  const line = "Hitchpost: add " + origin + " to " + effectiveDirective + " of this page's CSP";
  if (effectiveDirective === "form-action") {
    console.error(line);
    refuse?.();
  } else if (!advice && effectiveDirective === "connect-src") console.error((advice = line));
}
