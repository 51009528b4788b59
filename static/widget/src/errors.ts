// What `connect` rejects with.
import type { ConnectErrorCode, Reading } from "./types.js";
import { spelled } from "./words.js";

/** A connect that did not end in a connection, in words fit to show to the user. */
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

  /** `title` and `nextStep` default to plain English; the panel then puts the product's words in their place. */
  constructor(code: ConnectErrorCode, title = spelled(code), nextStep = "Try again, or ask support.") {
    super(title);
    Object.assign(this, { code, title, nextStep });
  }
}

/** Whether an error may be gone when the same is asked again. */
export const isPassing = ({ code }: ConnectError): boolean => /network|partner/.test(code);

/** What an attempt that has ended otherwise tells, and a problem document (RFC 9457) of the BFF's. */
export type Told = Pick<Reading, "error"> & {
  /** What the people who build the page should change. */
  advice?: string;
};

/** The error that the BFF tells. */
export const errorOf = ({ error }: Told): ConnectError => new ConnectError(error?.code ?? "failed", error?.title, error?.next_step);
