// Written by scripts/document.py, from bff/common/errors.py.

/** Why a connect did not end in a connection. Stable: host pages may switch on it. */
export type ConnectErrorCode =
  | "popup_blocked"
  | "cancelled"
  | "declined"
  | "failed"
  | "expired"
  | "not_signed_in"
  | "connector_unavailable"
  | "partner_unavailable"
  | "network"
  | "invalid_request"
  | "account_mismatch"
  | "several_connections";
