// What `connect` rejects with.
import type { ConnectErrorCode } from "./types.js";
import { words } from "./words.js";

/** A connect that did not end in a connection, in words fit to show to the user. */
export class ConnectError extends Error {
  override readonly name = "ConnectError";
  /** Id of the attempt, once there was one. */
  attempt: string | undefined;
  /** What the user can tell support, once there was an attempt. */
  supportCode: string | undefined;
  /** Milliseconds after which asking again makes sense; undefined when it never does. */
  retryIn_: number | undefined;

  /** `title` says what went wrong, `nextStep` what to do; both default to the product's words for the code. */
  constructor(
    readonly code: ConnectErrorCode,
    readonly title: string = words[`error_${code}_title`] ?? code,
    readonly nextStep: string = words[`error_${code}_next_step`] ?? "",
  ) {
    super(title);
  }
}

/** An error that may be gone when asked again after `ms` milliseconds. */
export function passing(error: ConnectError, ms = 0): ConnectError {
  error.retryIn_ = ms;
  return error;
}
