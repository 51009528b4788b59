// What `connect` rejects with.
import type { ConnectErrorCode, Reading } from "./types.js";
import { words } from "./words.js";

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

  /** `title` and `nextStep` default to the product's words for the code. */
  constructor(code: ConnectErrorCode, title?: string, nextStep?: string) {
    super((title ??= words["error_" + code + "_title"] ?? words[code] ?? code));
    Object.assign(this, { name: "ConnectError", code, title, nextStep: nextStep ?? words["error_" + code + "_next_step"] ?? "" });
  }
}

/** Whether an error may be gone when the same is asked again. */
export const isPassing = ({ code }: ConnectError): boolean => /network|partner/.test(code);

/** What an attempt that has ended otherwise tells, and a problem document (RFC 9457) of the BFF's. */
export type Told = Pick<Reading, "error">;

/** The error that the BFF tells; an answer that is none of its own is an outage. */
export function errorOf(told: Told | null): ConnectError {
  const { code = "partner_unavailable", title, next_step }: Partial<NonNullable<Told["error"]>> = told?.error ?? {};
  return new ConnectError(code, title, next_step);
}
