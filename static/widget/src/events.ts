// The DOM events that host pages receive.
import type { ConnectErrorCode, ConnectResult, Step } from "./types.js";

/** The `detail` of each event. */
export interface Details {
  connected: ConnectResult;
  failed: {
    code: ConnectErrorCode;
    title: string;
    nextStep: string;
    attempt: string | undefined;
    supportCode: string | undefined;
    /** After an `account_mismatch`: false if this user may not accept the other account. */
    mayAccept?: boolean | null | undefined;
    /** @internal Undefined for listeners: see `ConnectError`. */
    connection?: string | undefined;
  };
  disconnected: { connection: string };
  step: { step: Step; attempt?: string | undefined };
}

declare global {
  interface GlobalEventHandlersEventMap {
    "hitchpost:connected": CustomEvent<Details["connected"]>;
    "hitchpost:failed": CustomEvent<Details["failed"]>;
    "hitchpost:disconnected": CustomEvent<Details["disconnected"]>;
    "hitchpost:step": CustomEvent<Details["step"]>;
  }
}

/** Fires `hitchpost:{name}` on `target`, if there is one. The event bubbles, out of shadow roots too. */
export function fire<Name extends keyof Details>(target: EventTarget | undefined, name: Name, detail: Details[Name]): void {
  target?.dispatchEvent(new CustomEvent(`hitchpost:${name}`, { detail, bubbles: true, composed: true }));
}
