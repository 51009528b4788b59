// Detects that the host page's Content-Security-Policy (CSP) blocks the BFF. A blocked fetch fails like one without a network,
// and a blocked form does nothing: only the browser's `securitypolicyviolation` event shows the cause.
import type { Kit } from "./kit.js";

/**
 * Sets `settings.advice` when the browser reports a blocked call to the BFF. The call itself waits for that report
 * (`CSP_REPORT_DELAY` in bff.ts).
 */
export function watchCsp(kit: Kit): void {
  const { settings } = kit;
  addEventListener("securitypolicyviolation", (event) => {
    // Not for POST /v1/press, which only makes the launch faster.
    if (!event.blockedURI.endsWith("/press")) settings.advice = logCspAdvice(kit, event, "connect-src") ?? settings.advice;
  });
}

/**
 * Logs and returns what to add to the page's CSP, if this directive of it has blocked the BFF. Returns undefined otherwise, also for
 * a policy that only reports.
 */
export function logCspAdvice({ bffOrigin, logError, settings }: Kit, { blockedURI, disposition, effectiveDirective }: SecurityPolicyViolationEvent, directive: string): string | undefined {
  const origin = bffOrigin();
  if (disposition === "report" || !origin || effectiveDirective !== directive) return undefined;
  // `blockedURI` is the full URL, or only its origin. The BFF may be below a path of an origin that has more than it.
  const isBff = blockedURI === origin || blockedURI.startsWith(new URL(settings.base + "/", document.baseURI).href);
  return isBff ? logError(`add ${origin} to ${directive} of this page's CSP`) : undefined;
}
