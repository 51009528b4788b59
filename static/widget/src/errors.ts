// What `connect` rejects with.
import type { ConnectErrorCode } from "./types.js";
import { words } from "./words.js";

/** A connect that did not end in a connection, in words fit to show to the user. */
export class ConnectError extends Error {
  static {
    this.prototype.name = "ConnectError";
  }

  declare readonly code: ConnectErrorCode;
  /** What went wrong, fit to show. */
  declare readonly title: string;
  /** What to do now, fit to show. */
  declare readonly nextStep: string;
  /** Id of the attempt, once there was one. */
  declare attempt: string | undefined;
  /** What the user can tell support, once there was an attempt. */
  declare supportCode: string | undefined;
  /** @internal Milliseconds after which asking again makes sense; undefined when it never does. */
  declare retryIn_: number | undefined;

  /** `title` and `nextStep` default to the product's words for the code. */
  constructor(code: ConnectErrorCode, title?: string, nextStep?: string) {
    super((title ??= words[`error_${code}_title`] ?? words[code] ?? code));
    Object.assign(this, { code, title, nextStep: nextStep ?? words[`error_${code}_next_step`] ?? "" });
  }
}

/** An error that may be gone when asked again after `ms` milliseconds. */
export function passing(error: ConnectError, ms = 0): ConnectError {
  error.retryIn_ = ms;
  return error;
}
