// Detects a host page whose Content-Security-Policy blocks the BFF. A blocked fetch fails as a lost network does, and a
// blocked form does nothing, so only the browser's violation report tells.
import type { Kit } from "./kit.js";

/**
 * Sets `settings.advice` and logs it when the browser reports a blocked call to the BFF. The call itself waits for that
 * report (bff.ts).
 */
export function watchPolicy(kit: Kit): void {
  const { settings } = kit;
  addEventListener("securitypolicyviolation", (event) => {
    // A blocked press only makes the launch slower.
    if (!event.blockedURI.endsWith("/press")) settings.advice = adviceOn(kit, event, "connect-src") ?? settings.advice;
  });
}

/** What to add to the page's policy, if it has blocked the BFF by this directive. Logs it too. */
export function adviceOn({ bffOrigin, logError }: Kit, { blockedURI, effectiveDirective }: SecurityPolicyViolationEvent, directive: string): string | undefined {
  const origin = bffOrigin();
  // Browsers report the full URL or only its origin.
  return origin && effectiveDirective === directive && blockedURI.startsWith(origin) ? logError(`add ${origin} to ${directive} of this page's CSP`) : undefined;
}
