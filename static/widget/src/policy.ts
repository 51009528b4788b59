// A host page whose Content-Security-Policy keeps us from the BFF. Its fetch fails as a lost network does, and its form
// goes nowhere, so the browser's own report of the violation is what tells.
import type { Kit } from "./kit.js";

/**
 * Listens for the browser's report of a call to the BFF that it has refused, and tells the console once. A call that
 * was refused before is made again by then (bff.ts).
 */
export function watchPolicy(kit: Kit): void {
  const { settings } = kit;
  addEventListener("securitypolicyviolation", (event) => {
    // A press that is lost costs a moment only: no reason to complain.
    if (!event.blockedURI.endsWith("/press")) settings.advice = adviceOn(kit, event, "connect-src") ?? settings.advice;
  });
}

/** What to add to the page's policy, if it has kept us from the BFF by this directive; the console is told. */
export function adviceOn({ bffOrigin, complain }: Kit, { blockedURI, effectiveDirective }: SecurityPolicyViolationEvent, directive: string): string | undefined {
  const origin = bffOrigin();
  // Some browsers tell the whole URL, some its origin.
  return origin && effectiveDirective === directive && blockedURI.startsWith(origin) ? complain(`add ${origin} to ${directive} of this page's CSP`) : undefined;
}
