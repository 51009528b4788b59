// Finds a button to show a flow whose own button is gone: pages redraw their buttons while the user signs in.
import type { Kit } from "./kit.js";
import type { Hooks } from "./hooks.js";

/** The hook that searches the document, open shadow roots included. */
export function replacementFinder({ readRequest, matchesRequest }: Kit): Hooks["findReplacement"] {
  return (request, taken, candidate) => {
    // Buttons with the same callback message first; buttons that show another flow last.
    const rank = (button: Element): number => +taken.includes(button) * 2 + +(readRequest(button).message !== request.message);
    return [candidate, ...elementsIn(document)]
      .filter((element): element is Element => matchesRequest(element, request))
      .sort((one, other) => rank(one) - rank(other))[0];
  };
}

/** All elements, also those inside open shadow roots. */
function elementsIn(root: ParentNode): Element[] {
  return [...root.querySelectorAll("*")].flatMap((element) => [element, ...(element.shadowRoot ? elementsIn(element.shadowRoot) : [])]);
}
