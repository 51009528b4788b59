// A sign-in that takes this tab, in place of a window: an entry of its own for each, so that a reload finds it again.
import type { ConnectRequest } from "./flow.js";
import type { Kit } from "./kit.js";
import { leave } from "./leave.js";
import type { Later } from "./later.js";

const returns = ({ delivery }: ConnectRequest): boolean => delivery === "return";

/** How a sign-in begins where it may take this tab. */
export function deliverer(kit: Kit): Pick<Later, "open" | "ask"> {
  return {
    open(request, refused) {
      // What is known not to be connectable opens nothing: `take` says why.
      if (kit.offers[request.connector]?.error) return kit.openPopup();
      if (!returns(request)) return kit.openFor(request);
      const tab = kit.openPopup(undefined, (attempt) => { leave(kit, attempt, refused); });
      tab.nudge("ready");
      return tab;
    },
    ask(request) {
      // What is the default goes unsaid: else an attempt that was made before the BFF told it would not be the one asked for.
      return { ...kit.requestOf(request), ...(returns(request) && { delivery: "return", return_url: location.href }) };
    },
  };
}
