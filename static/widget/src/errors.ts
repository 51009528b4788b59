// The error with which `connect` rejects.
import type { ConnectErrorCode, Reading } from "./types.js";
import { humanize } from "./words.js";

/** Why `connect` did not end in a connection. */
export class ConnectError extends Error {
  override name = "ConnectError";
  declare readonly code: ConnectErrorCode;
  /** What went wrong: a text for the user, or for the page's developers if the page is set up wrongly. */
  declare title: string;
  /** What the user can do now. */
  declare nextStep: string;
  /** Id of the attempt, if one was made. */
  declare attempt: string | undefined;
  /** A code by which support finds the attempt, if one was made. */
  declare supportCode: string | undefined;

  /** After an `account_mismatch`: false if this user may not accept the other account (`use_account`). */
  declare mayAccept: boolean | null | undefined;

  /**
   * Id of the connection that the user wanted to reconnect, if its card was pressed or its flow was resumed. Set after the event
   * `hitchpost:failed`: its listeners find it undefined.
   */
  declare connection: string | undefined;

  /** `title` and `nextStep` default to English texts, which the panel replaces by the product's. */
  constructor(code: ConnectErrorCode, title = humanize(code), nextStep = "Try again.") {
    super(title);
    this.code = code;
    this.title = title;
    this.nextStep = nextStep;
  }
}

/** The codes of errors after which the same call may succeed later. */
export const TEMPORARY_CODES = /network|partner/;

/** The error in an attempt's status, or in a problem document (RFC 9457) of the BFF. */
export type ErrorBody = Pick<Reading, "error"> & {
  /** What the page's developers should change. */
  advice?: string;
};

/** Makes a `ConnectError` of the error in an answer of the BFF. */
export const errorOf = ({ error }: ErrorBody): ConnectError => new ConnectError(error?.code ?? "failed", error?.title, error?.next_step);
