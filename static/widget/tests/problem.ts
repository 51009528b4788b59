/** A problem document (RFC 9457), as the BFF answers it. */
export function problem(status: number, code: string, title: string, headers: Record<string, string> = {}): Response {
  const told = code === "expired" ? code : code.includes("connector") ? "connector_unavailable" : status === 401 ? "not_signed_in" : status === 429 || status > 499 ? "partner_unavailable" : "invalid_request";
  return Response.json({ status, code, title, error: { code: told, title, next_step: "Do this." } }, { status, headers });
}
