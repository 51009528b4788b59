// Which button stands for a flow whose own is gone: pages draw theirs anew while the user signs in.
import type { Kit } from "./kit.js";
import type { Later } from "./later.js";

/** Finds it, also inside open shadow roots. */
export function heirFinder({ readRequest, standsFor }: Kit): Later["heir"] {
  return (request, shown, button) => {
    // A button that shows another flow comes last; one that asks for the same message comes first.
    const rank = (found: Element): number => +shown.includes(found) * 2 + +(readRequest(found).message !== request.message);
    return [button, ...elementsIn(document)]
      .filter((found): found is Element => standsFor(found, request))
      .sort((one, other) => rank(one) - rank(other))[0];
  };
}

/** All elements, also those inside open shadow roots. */
function elementsIn(root: ParentNode): Element[] {
  return [...root.querySelectorAll("*")].flatMap((element) => [element, ...(element.shadowRoot ? elementsIn(element.shadowRoot) : [])]);
}
