// What `connect` rejects with.
import type { ConnectErrorCode, Reading } from "./types.js";
import { humanize } from "./words.js";

/** Why a connect did not end in a connection, with texts fit to show to the user. */
export class ConnectError extends Error {
  override name = "ConnectError";
  declare readonly code: ConnectErrorCode;
  /** What went wrong, fit to show. */
  declare title: string;
  /** What to do now, fit to show. */
  declare nextStep: string;
  /** Id of the attempt, once there was one. */
  declare attempt: string | undefined;
  /** What the user can tell support, once there was an attempt. */
  declare supportCode: string | undefined;

  /** `title` and `nextStep` default to plain English, which the panel replaces by the product's words. */
  constructor(code: ConnectErrorCode, title = humanize(code), nextStep = "Try again, or ask support.") {
    super(title);
    Object.assign(this, { code, title, nextStep });
  }
}

/** Whether the same call may succeed later. */
export const isPassing = ({ code }: ConnectError): boolean => /network|partner/.test(code);

/** The error in an attempt's status, or in a problem document (RFC 9457) of the BFF. */
export type ErrorBody = Pick<Reading, "error"> & {
  /** What the page's developers should change. */
  advice?: string;
};

/** The error in an answer of the BFF. */
export const errorOf = ({ error }: ErrorBody): ConnectError => new ConnectError(error?.code ?? "failed", error?.title, error?.next_step);
