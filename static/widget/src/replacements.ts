// Finds a button to show a flow whose own button is gone: pages draw their buttons again while the user signs in.
import type { Kit } from "./kit.js";
import type { Hooks } from "./hooks.js";

/** Finds it in the document, open shadow roots included. */
export function replacementFinder({ readRequest, matchesRequest }: Kit): Hooks["replacement"] {
  return (request, shown, button) => {
    // A button that shows another flow comes last; one that asks for the same message comes first.
    const rank = (found: Element): number => +shown.includes(found) * 2 + +(readRequest(found).message !== request.message);
    return [button, ...elementsIn(document)]
      .filter((found): found is Element => matchesRequest(found, request))
      .sort((one, other) => rank(one) - rank(other))[0];
  };
}

/** All elements, also those inside open shadow roots. */
function elementsIn(root: ParentNode): Element[] {
  return [...root.querySelectorAll("*")].flatMap((element) => [element, ...(element.shadowRoot ? elementsIn(element.shadowRoot) : [])]);
}
