// Continues flows after a reload, and after a sign-in that went through this tab: stores the running attempts in
// sessionStorage.
import type { Kit } from "./kit.js";
import type { Hooks } from "./hooks.js";

/** One entry for each attempt, so that flows do not overwrite each other's. The prefix keeps the host's own values apart. */
const keyOf = ({ settings }: Kit, id: string): string => `hitchpost ${settings.product} ${id}`;

/** Stores an attempt, or deletes it. Holds no secret: reading the attempt takes the user's session. */
export function storageHooks(kit: Kit): Pick<Hooks, "remember" | "forget"> {
  return {
    remember(id, { connector, message, connection }) {
      inStorage((storage) => { storage.setItem(keyOf(kit, id), [connector, message, connection].join(" ").trim()); }); // None holds a space.
    },
    forget(id) {
      inStorage((storage) => { storage.removeItem(keyOf(kit, id)); });
    },
  };
}

/**
 * Continues each stored attempt, unless this page does so already. Waits until the page has said where the BFF is and its
 * own scripts have had the chance to listen.
 */
export function resume(kit: Kit, event?: Event): void {
  const { bffOrigin, flows, run } = kit;
  if (!bffOrigin() || !(event ?? document.readyState === "complete")) return;
  inStorage((storage) => {
    for (const [key, value] of Object.entries(storage) as [string, string][]) {
      const [, id] = key.split(keyOf(kit, ""));
      const [connector = "", message, connection] = value.split(" ");
      // A button with the same connector gets the events. An empty message stands for none.
      const request = { connector, message: message === "" ? undefined : message, connection };
      if (id && ![...flows].some(({ attempt }) => attempt === id)) void run(undefined, request, { id });
    }
  });
}

function inStorage(act: (storage: Storage) => void): void {
  try {
    act(sessionStorage);
  } catch {
    // A page without storage cannot resume flows.
  }
}
