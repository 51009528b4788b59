// Stores the running attempts in sessionStorage, so that their flows continue after a reload, and after a sign-in in this tab.
import type { Hooks } from "./hooks.js";
import type { Kit } from "./kit.js";

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

/** The id and the values of each stored attempt whose flow does not run on this page. */
export function attemptsLeft(kit: Kit): [id: string, values: string[]][] {
  // `inStorage` swallows errors of a sessionStorage that the page has replaced or forbidden. The rest is outside: its errors must be seen.
  const stored = inStorage((storage) => Object.entries<string>(storage).map(([key, value]): [string | undefined, string[]] => [key.split(keyOf(kit, ""))[1], value.split(" ")])) ?? [];
  return stored.filter((each): each is [string, string[]] => !!each[0] && ![...kit.flows].some(({ attempt }) => attempt === each[0]));
}

function inStorage<Result>(act: (storage: Storage) => Result): Result | undefined {
  try {
    return act(sessionStorage);
  } catch {
    return undefined; // The page may not use storage. Its flows are not resumed.
  }
}
