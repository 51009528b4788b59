// Stores the running attempts in sessionStorage, so that their flows continue after a reload, and after a sign-in in this tab.
import { keepConnection } from "./failures.js";
import type { Kit } from "./kit.js";
import type { Hooks } from "./hooks.js";
import type { Reading } from "./types.js";

/** An older stored attempt (milliseconds) comes from a tab that was closed and later restored: it resumes only if it has connected. */
const STALE_AFTER = 3_600_000;

/** The key of an attempt. Each has an entry of its own, so that flows do not overwrite each other's. */
const keyOf = ({ settings }: Kit, id: string): string => `hitchpost ${settings.product} ${id}`;

/** The hooks that store and delete an attempt. The entry is no secret: to read an attempt takes the user's session. */
export function storageHooks(kit: Kit): Pick<Hooks, "remember" | "forget"> {
  return {
    remember(id, { connector, message, connection }) {
      inStorage((storage) => { storage.setItem(keyOf(kit, id), [connector, message, connection, Date.now()].join(" ")); }); // None of them contains a space.
    },
    forget(id) {
      inStorage((storage) => { storage.removeItem(keyOf(kit, id)); });
    },
  };
}

/**
 * Continues each stored attempt whose flow does not run on this page yet. Does nothing until the page has set where the BFF is
 * and its own scripts have had the time to add listeners. `event`: DOMContentLoaded or load.
 */
export function resume(kit: Kit, event?: Event): void {
  const { bffOrigin, callBff, flows, run } = kit;
  if (!bffOrigin() || !(event ?? document.readyState === "complete")) return;
  inStorage((storage) => {
    for (const [key, value] of Object.entries(storage) as [string, string][]) {
      const [, id] = key.split(keyOf(kit, ""));
      if (!id || [...flows].some(({ attempt }) => attempt === id)) continue;
      const [connector = "", message, connection, time] = value.split(" ");
      const request = { connector, message: textOf(message), connection: textOf(connection) };
      const goOn = (): void => { keepConnection(run(undefined, request, { id }), request.connection); };
      if (!time || Date.now() - +time < STALE_AFTER) goOn();
      else {
        storage.removeItem(key);
        callBff<Reading>(`attempts/${id}`).then(({ status }) => { if (status === "connected") goOn(); }, () => 0);
      }
    }
  });
}

const textOf = (stored: string | undefined): string | undefined => (stored === "" ? undefined : stored);

function inStorage(act: (storage: Storage) => void): void {
  try {
    act(sessionStorage);
  } catch {
    // The page may not use storage. Its flows are not resumed.
  }
}
