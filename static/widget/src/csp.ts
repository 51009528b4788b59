// Detects that the host page's Content-Security-Policy (CSP) blocks the BFF. A blocked fetch fails like one without a network,
// and a blocked form does nothing: only the browser's `securitypolicyviolation` event shows the cause.
import type { Kit } from "./kit.js";

/**
 * Sets `settings.advice`, and logs it, when the browser reports a blocked call to the BFF. The call itself waits for that report
 * (`CSP_REPORT_DELAY` in bff.ts).
 */
export function watchCsp(kit: Kit): void {
  const { settings } = kit;
  addEventListener("securitypolicyviolation", (event) => {
    // Not for POST /v1/press, which only makes the launch faster.
    if (!event.blockedURI.endsWith("/press")) settings.advice = adviceOn(kit, event, "connect-src") ?? settings.advice;
  });
}

/** What to add to the page's CSP, if this directive of it has blocked the BFF; undefined otherwise, also for a policy that only reports. Logs it too. */
export function adviceOn({ bffOrigin, logError }: Kit, { blockedURI, disposition, effectiveDirective }: SecurityPolicyViolationEvent, directive: string): string | undefined {
  const origin = bffOrigin();
  // `blockedURI` is the full URL, or only its origin.
  return disposition !== "report" && origin && effectiveDirective === directive && blockedURI.startsWith(origin) ? logError(`add ${origin} to ${directive} of this page's CSP`) : undefined;
}
