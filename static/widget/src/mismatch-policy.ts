// Whether the user may replace the connected third-party account. The product's policy may leave that to somebody else.
import type { Kit } from "./kit.js";
import type { Reading } from "./types.js";

/** The failures (`account_mismatch`) after which this user may not replace it. */
const refused = new WeakSet();

/** Whether `use_account` may be offered after this failure. */
export const mayUseAccount = (failure: object | null | undefined): boolean => !failure || !refused.has(failure);

/** Reads the policy after each `account_mismatch`, and draws the elements again if this user may not make that choice. */
export function watchMismatchPolicy({ callBff, redraw }: Kit): void {
  addEventListener("hitchpost:failed", ({ detail }) => {
    if (detail.code !== "account_mismatch" || !detail.attempt) return;
    callBff<Reading>(`attempts/${detail.attempt}`).then(({ may_accept }) => {
      if (may_accept !== false) return;
      refused.add(detail);
      redraw();
    }, () => 0);
  }, true);
}
