// A host page whose Content-Security-Policy keeps us from the BFF. Its fetch fails as a lost network does, so the
// browser's own report of the violation is what tells the two apart.
import { complain } from "./complain.js";
import { bffOrigin } from "./session.js";

/** What to add to the page's policy, once the browser has refused a call to the BFF for it. */
export let advice: string | undefined;

/** Listens for the browser's report, and tells the console once. Called again, it changes nothing. */
export function watchPolicy(): void {
  addEventListener("securitypolicyviolation", note);
}

function note(event: SecurityPolicyViolationEvent): void {
  // A press that is lost costs a moment only: no reason to complain.
  if (!event.blockedURI.endsWith("/press")) advice = adviceOn(event, "connect-src") ?? advice;
}

/** What to add to the page's policy, if it has kept us from the BFF by this directive; the console is told. */
export function adviceOn({ blockedURI, effectiveDirective }: SecurityPolicyViolationEvent, directive: string): string | undefined {
  const origin = bffOrigin();
  // Some browsers tell the whole URL, some its origin.
  if (origin && effectiveDirective === directive && blockedURI.startsWith(origin)) return complain(`add ${origin} to ${directive} of this page's CSP`);
  return undefined;
}
