// The types that the widget shares with the host page and with the BFF.

import type { ConnectErrorCode } from "./error-codes.js";

export type { ConnectErrorCode };

/** How far a flow has come. Those for which `offersChoice` (controller.ts) is true wait for a choice of the user. Later versions may add steps. */
export type Step =
  | "prepared" // An attempt was made ahead of the click.
  | "opening" // The popup opens.
  | "launched" // The popup has its launch token.
  | "waiting" // The user signs in.
  | "not_loading" // The popup's page does not load in time.
  | "unsure" // The popup seems closed.
  | "cut_off" // The page's Cross-Origin-Opener-Policy has cut the popup off.
  | "interrupted" // The user came back before the end, or a page in the popup showed an error.
  | "finishing" // The end of the sign-in, or a choice of the user, is being carried out.
  | "popup_blocked"; // The browser opened no popup.

/**
 * The hint of the read that learned the final status. It is the last `message` or `returned`, else the signal that made the widget
 * read, or `poll` if only time had passed. Of a resumed flow in a popup, `returned` counts as `focus`.
 */
export type Channel = "message" | "closed" | "focus" | "returned" | "trouble" | "poll";

/** What the user can choose: when the popup is blocked or seems gone, and after another account has signed in. */
export type Choice = "open_again" | "continue_here" | "cancel" | "use_account" | "try_again";

/** The connection that a sign-in made. */
export interface ConnectedTo {
  id: string;
  connector: string;
  external_account: string | null;
}

/** The state of a connection; `unknown` while the BFF cannot reach the partner service. */
export type ConnectionState = "disconnected" | "pending" | "connected" | "needs_reconnect" | "unknown";

/** One connection of the account. Null stands for what the partner service does not report. */
export interface Connection extends ConnectedTo {
  /** The connector's name. */
  name: string;
  state: ConnectionState;
  /** When it was connected (ISO 8601), by which of the host's users (id), and that user's name. */
  connected_at: string | null;
  connected_by: string | null;
  connected_by_name?: string | null;
  /** What the third party allowed. */
  scopes: string[] | null;
  /** What the connector asks for and the third party did not allow. */
  missing_scopes?: string[] | null;
  /** When its access token expires (ISO 8601). */
  expires_at: string | null;
  /** Why the user has to reconnect: a stable code, and a text in the user's language. */
  reason: string | null;
  reason_text?: string | null;
  /** What else the third party told at the sign-in, such as the URL of its API. */
  extra: Record<string, unknown> | null;
  /** Grows with each change that is reported by a webhook event. */
  sequence?: number;
  /** While the state is unknown: the last known state, and when the BFF read it (ISO 8601). */
  last_state?: ConnectionState | null;
  last_seen_at?: string | null;
  /** False if the product does not let this user end the connection. */
  may_disconnect?: boolean;
}

/** What `connect` resolves with. */
export interface ConnectResult {
  status: "connected";
  /** Id of the attempt. */
  attempt: string;
  connector: string;
  connection: ConnectedTo | null;
  /** The text of the requested callback message, as the product team wrote it, with its variables filled in. */
  message: string;
  /** False if the partner service cannot prove that this user's sign-in made the connection; `receipt` is then null. */
  attributed: boolean;
  /** A signed receipt for the host's server, if the BFF issued one. */
  receipt: string | null;
  channel: Channel;
  supportCode: string;
}

/** Options of `connect`. */
export interface ConnectOptions {
  /** Key of one of the product's callback messages. Default: the product's default message. */
  message?: string | undefined;
  /** Id of the connection to reconnect, if the account has several of this connector. */
  connection?: string | undefined;
  /** BCP 47 language tag of the texts that the user reads. */
  locale?: string | undefined;
  /** `return` signs in inside this tab instead of a popup. */
  delivery?: "message" | "return" | undefined;
  /**
   * Aborting it cancels the attempt. If the attempt has connected by then, `connect` still resolves. If it is aborted before the
   * call, nothing is opened, and `connect` rejects with `cancelled`.
   */
  signal?: AbortSignal | undefined;
  /** Called with each step. */
  onStep?: ((step: Step) => void) | undefined;
}

/** What a button, or a caller of `connect`, asks for. */
export interface ConnectRequest extends ConnectOptions {
  connector: string;
}

/** A session token, and its lifetime in seconds from now. Without a lifetime it is used until the BFF refuses it. */
export interface Session {
  token?: string;
  expires_in?: number;
}

/** How the widget reaches the BFF, and how it authenticates there. */
export interface Settings {
  /** URL of the BFF, path prefix included, without a trailing slash. */
  base: string;
  /** The product's key in the product file, such as `my-app`. It is no secret. */
  product: string;
  /** BCP 47 language tag, used where a button or a call names none. Default: the user's own language. */
  locale?: string | undefined;
  /** The delivery where a button or a call names none. Default: what the BFF recommends for this browser. */
  delivery?: ConnectOptions["delivery"];
  /**
   * Returns a session token. Called when the first token is needed, and again when it expires or the BFF refuses it, after
   * `configure`, after a failure, and if no token has come within 15 seconds. Also called when the browser restores the page from
   * its cache, when Turbo, htmx or Livewire shows another page, and by diagnose.js. Throw a TypeError if the token cannot be read
   * now; anything else thrown, or no token, means that nobody is signed in. Without this function the BFF's own cookies authenticate
   * the user.
   */
  session?: (() => string | Session | Promise<string | Session>) | undefined;
}

/** The body of `POST /v1/attempts`. */
export interface AttemptRequest {
  connector: string;
  /** The product that the page names. The BFF refuses it if the session is for another one. */
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
  /** Seconds from the answer on, not a time: the user's clock may be wrong. */
  expires_in: number;
  support_code: string;
  /** Advice for the page's developers, set if the page's Referrer-Policy hides its origin from forms to other origins. */
  origin_hidden?: string;
}

/** The answer of `GET /v1/attempts/{id}`: the members that the widget uses. */
export interface Reading {
  id: string;
  status: "created" | "launched" | "connected" | "declined" | "failed" | "cancelled" | "expired";
  /** The result of a connected attempt. Only read then: it is null for any other. */
  result: ConnectResult;
  /** A step to show to the user, if any. */
  step?: Step | null;
  error: { code: ConnectErrorCode; title: string; next_step: string } | null;
  support_code: string;
  /**
   * The plain callback message of a connected attempt, and the origin to dispatch it with; null if the hint of this read was `message`.
   * The page may have heard it already (`messageHeard`).
   */
  unsent: { data: string; origin: string } | null;
  /** After an `account_mismatch`: whether this user may use the other account (`use_account`). */
  may_accept?: boolean | null;
}

/** One connector of the product, and its state for this account. */
export interface ConnectorStatus {
  key: string;
  name: string;
  /** URL of its logo. */
  logo?: string | null;
  state: ConnectionState;
  /** Set if the connector cannot be connected now: the reason, known before any click. */
  error?: Reading["error"];
  /** Whether users may connect a second account of the third party. */
  multiple?: boolean;
  connections?: Connection[];
}

/** The answer of `GET /v1/config`: the members that the widget uses. */
export interface Config {
  delivery: ConnectOptions["delivery"];
  /** The product's connectors; absent in an answer that is not the BFF's. */
  connectors?: ConnectorStatus[];
  /**
   * Texts by key. `button` is the product's text; `crm button`, with a connector's key and a space in front, is that
   * connector's own. `lang` and `dir` are the language and direction of the texts.
   */
  words: Record<string, string>;
  /** The product's look: CSS declarations, checked by the BFF. */
  style: string;
}
