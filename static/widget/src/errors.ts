// What `connect` rejects with.
import type { ConnectErrorCode, Reading } from "./types.js";
import { spelled, words } from "./words.js";

/** A connect that did not end in a connection, in words fit to show to the user. */
export class ConnectError extends Error {
  declare readonly code: ConnectErrorCode;
  /** What went wrong, fit to show. */
  declare readonly title: string;
  /** What to do now, fit to show. */
  declare readonly nextStep: string;
  /** Id of the attempt, once there was one. */
  declare attempt: string | undefined;
  /** What the user can tell support, once there was an attempt. */
  declare supportCode: string | undefined;

  /** `title` and `nextStep` default to the product's words for the code, or to plain English. */
  constructor(
    code: ConnectErrorCode,
    title = words[`error_${code}_title`] ?? spelled(code),
    nextStep = words[`error_${code}_next_step`] ?? "Try again, or ask support.",
  ) {
    super(title);
    Object.assign(this, { name: "ConnectError", code, title, nextStep });
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
export function errorOf({ error }: Told): ConnectError {
  const { code = "failed", title, next_step }: Partial<NonNullable<Told["error"]>> = error ?? {};
  return new ConnectError(code, title, next_step);
}
