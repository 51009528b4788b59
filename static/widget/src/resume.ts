// A flow outlives its page: what this tab remembers for a reload. Goes on with what other pages of this tab began: they
// were reloaded, or the sign-in went through this tab.
import type { Kit } from "./kit.js";
import type { Later } from "./later.js";

/** An entry for each attempt: no flow overwrites another's, and no value of the host's is taken for one of ours. */
const keyOf = ({ settings }: Kit, id: string): string => `hitchpost ${settings.product} ${id}`;

/** Remembers an attempt in this tab, or forgets it. Nothing secret: it takes the user's session to read it. */
export function rememberer(kit: Kit): Pick<Later, "remember" | "forget"> {
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
 * Watches each remembered attempt to its end, unless this page does so already. Not before the
 * page has said where the BFF is, and its own scripts have had their turn to listen.
 */
export function resume(kit: Kit, event?: Event): void {
  const { bffOrigin, flows, run } = kit;
  if (!bffOrigin() || !(event ?? document.readyState === "complete")) return;
  inStorage((storage) => {
    for (const [key, value] of Object.entries(storage) as [string, string][]) {
      const [, id] = key.split(keyOf(kit, ""));
      const [connector = "", message, connection] = value.split(" ");
      // Whoever stands for its connector by then is told how it ended. An empty message names none.
      const request = { connector, message: message === "" ? undefined : message, connection };
      if (id && ![...flows].some(({ attempt }) => attempt === id)) void run(undefined, request, { id });
    }
  });
}

function inStorage(act: (storage: Storage) => void): void {
  try {
    act(sessionStorage);
  } catch {
    // A page without storage cannot resume; all else works.
  }
}
