// The shapes that the widget shares with the host page and with the BFF.

import type { ConnectErrorCode } from "./error-codes.js";

export type { ConnectErrorCode };

/** Where a flow is. Informational: new steps may come. */
export type Step =
  | "prepared"
  | "opening"
  | "launched"
  | "waiting"
  | "not_loading"
  | "unsure"
  | "cut_off"
  | "interrupted"
  | "finishing"
  | "popup_blocked";

/** The signal with which the final status was read. */
export type Channel = "message" | "closed" | "focus" | "returned" | "trouble" | "poll";

/** What the user can choose: when the popup is blocked or seems gone, and after another account has signed in. */
export type Choice = "open_again" | "continue_here" | "cancel" | "use_account" | "try_again" | "reconnect";

/** The connection that a sign-in made, as the BFF tells it. */
export interface ConnectedTo {
  id: string;
  connector: string;
  external_account: string | null;
}

/** How a connection stands; `unknown` while the partner service cannot be asked. */
export type ConnectionState = "disconnected" | "pending" | "connected" | "needs_reconnect" | "unknown";

/** One connection of the account, as the BFF tells it. What the partner service does not tell is null. */
export interface Connection extends ConnectedTo {
  /** The connector's name. */
  name: string;
  state: ConnectionState;
  /** When it was connected (ISO 8601), by which of the host's users, and that user's name. */
  connected_at: string | null;
  connected_by: string | null;
  connected_by_name?: string | null;
  scopes: string[] | null;
  missing_scopes?: string[] | null;
  expires_at: string | null;
  /** Why it needs a sign-in again: a stable code, and the same in the user's words. */
  reason: string | null;
  reason_text?: string | null;
  extra: Record<string, unknown> | null;
  /** Grows with each change that an event tells of. */
  sequence?: number;
  /** While the state is unknown: what it was, and when that was seen (ISO 8601). */
  last_state?: ConnectionState | null;
  last_seen_at?: string | null;
  /** False where the product keeps this user from ending it. */
  may_disconnect?: boolean;
}

/** What `connect` resolves with. */
export interface ConnectResult {
  status: "connected";
  attempt: string;
  connector: string;
  connection: ConnectedTo | null;
  /** The text of the callback message that was asked for: the product team's own, variables filled in. */
  message: string;
  /** False where the partner service cannot say that this user's sign-in made the connection: no receipt then. */
  attributed: boolean;
  /** A signed receipt for the host's server, where the BFF gives one. */
  receipt: string | null;
  channel: Channel;
  supportCode: string;
}

/** What the caller of `connect` may choose. */
export interface ConnectOptions {
  /** Key of one of the product's callback messages; the product's default without it. */
  message?: string | undefined;
  /** Id of the connection to sign in to again, where the account has several of this connector. */
  connection?: string | undefined;
  /** BCP 47 language tag of what the user reads. */
  locale?: string | undefined;
  /** `return` signs in inside this tab instead of a popup. */
  delivery?: "message" | "return" | undefined;
  /** Aborting it cancels the attempt. If it has connected by then, `connect` still resolves. */
  signal?: AbortSignal | undefined;
  /** Told each step as it comes. */
  onStep?: ((step: Step) => void) | undefined;
}

/** A session token, and for how many seconds from now it is good; without, until the BFF refuses it. */
export interface Session {
  token?: string;
  expires_in?: number;
}

/** How the widget reaches the BFF, and as whom. */
export interface Settings {
  /** URL of the BFF, path prefix included, without a trailing slash. */
  base: string;
  /** The product's public key. */
  product: string;
  /** BCP 47 language tag of what users read, where a button or a call names none; else the user's own counts. */
  locale?: string | undefined;
  /** How to sign in where a button or a call does not say; the BFF tells, since it knows browsers inside apps. */
  delivery?: ConnectOptions["delivery"];
  /**
   * Gives a session token: asked once, and again when it ends or the BFF refuses it.
   * Without it, cookies of the BFF's own origin say who is signed in.
   */
  session?: (() => string | Session | Promise<string | Session>) | undefined;
}

/** The body of `POST /v1/attempts`. */
export interface AttemptRequest {
  connector: string;
  /** The product that the page names: it has to be the session's. */
  product: string;
  connection?: string | undefined;
  message?: string | undefined;
  locale?: string | undefined;
  delivery?: "message" | "return" | undefined;
  return_url?: string | undefined;
}

/** The answer of `POST /v1/attempts`. */
export interface Attempt {
  id: string;
  launch_token: string;
  partner_origin: string;
  callback_message: string | null;
  /** Seconds from the answer on, so that clocks may differ. */
  expires_in: number;
  support_code: string;
  /** Set where the page's Referrer-Policy hides its origin from forms to other origins: what to change. */
  origin_hidden?: string;
}

/** The answer of `GET /v1/attempts/{id}`, in part. */
export interface Reading {
  id: string;
  status: "created" | "launched" | "connected" | "declined" | "failed" | "cancelled" | "expired";
  /** The result of a connected attempt. */
  result: ConnectResult;
  /** A step to show to the user, if any. */
  step?: Step | null;
  error: { code: ConnectErrorCode; title: string; next_step: string } | null;
  support_code: string;
  /** A plain callback message that no window posted to this page, and the origin to dispatch it with. */
  unsent: { data: string; origin: string } | null;
}

/** One connector of the product, and its state for this account. */
export interface Offer {
  key: string;
  name: string;
  /** URL of its logo. */
  logo?: string | null;
  state: ConnectionState;
  /** Why it cannot be connected, known before anybody clicks. */
  error?: Reading["error"];
  /** Whether users may add another account to one that is connected. */
  multiple?: boolean;
  connections?: Connection[];
}

/** The answer of `GET /v1/config`, in part. */
export interface Config {
  delivery: ConnectOptions["delivery"];
  /** The product's connectors; absent in an answer that is not the BFF's. */
  connectors?: Offer[];
  /** Texts by key. A connector's own text has the connector's key and a space before its key. `lang` and `dir` belong to the texts. */
  words: Record<string, string>;
  /** The product's look: CSS declarations, checked by the BFF. */
  style: string;
}
