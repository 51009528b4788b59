// Stores the running attempts in sessionStorage, so that their flows continue after a reload, and after a sign-in in this tab.
import { noteConnectionOnFailure } from "./failures.js";
import type { ConnectError } from "./errors.js";
import type { Kit } from "./kit.js";
import type { Hooks } from "./hooks.js";
import type { Reading } from "./types.js";

/**
 * Age (milliseconds) from which a stored attempt is stale. It was left in a tab that was closed and restored later, or that had no
 * BFF for long: its flow continues only if it has connected.
 */
const STALE_AFTER = 3_600_000;

/** The key of an attempt. Each has an entry of its own, so that flows do not overwrite each other's. */
const keyOf = ({ settings }: Kit, id: string): string => `hitchpost ${settings.product} ${id}`;

/** The hooks that store and delete an attempt. The entry is no secret: to read an attempt takes the user's session. */
export function storageHooks(kit: Kit): Pick<Hooks, "storeAttempt" | "deleteAttempt"> {
  return {
    storeAttempt(id, { connector, message, connection }) {
      inStorage((storage) => { storage.setItem(keyOf(kit, id), [connector, message, connection, Date.now()].join(" ")); }); // None of them contains a space.
    },
    deleteAttempt(id) {
      inStorage((storage) => { storage.removeItem(keyOf(kit, id)); });
    },
  };
}

/** The ids of the stale attempts whose status is being read. */
const asked = new Set<string>();

/**
 * Continues each stored attempt whose flow does not run on this page yet. Does nothing until the page has set where the BFF is
 * and its own scripts have had the time to add listeners. `event`: DOMContentLoaded or load.
 */
export function resume(kit: Kit, event?: Event): void {
  const { bffOrigin, callBff, flows, hooks, run } = kit;
  if (!bffOrigin() || !(event ?? document.readyState === "complete")) return;
  // Everything that a page's own storage may fail at is done inside `inStorage`, and the rest outside: its errors must be seen.
  const stored = inStorage((storage) => Object.entries<string>(storage).map(([key, value]) => [key.split(keyOf(kit, ""))[1], value.split(" ")] as const));
  for (const [id, [connector = "", message, connection, time]] of stored ?? []) {
    if (!id || asked.has(id) || [...flows].some(({ attempt }) => attempt === id)) continue;
    const request = { connector, message: textOf(message), connection: textOf(connection) };
    const goOn = (): void => { noteConnectionOnFailure(run(undefined, request, { id }), request.connection); };
    if (!time || Date.now() - +time < STALE_AFTER) {
      goOn();
      continue;
    }
    asked.add(id);
    callBff<Reading>(`attempts/${id}`).then(
      ({ status }) => {
        if (status === "connected") goOn();
        else hooks.deleteAttempt(id);
      },
      // Without an answer, or a user, it stays for the next time. Any other error: it is another user's, or deleted.
      (error: unknown) => { if ((error as ConnectError).code === "invalid_request") hooks.deleteAttempt(id); },
    ).finally(() => asked.delete(id));
  }
}

const textOf = (stored: string | undefined): string | undefined => (stored === "" ? undefined : stored);

function inStorage<Result>(act: (storage: Storage) => Result): Result | undefined {
  try {
    return act(sessionStorage);
  } catch {
    return undefined; // The page may not use storage. Its flows are not resumed.
  }
}
