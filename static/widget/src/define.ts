// Registers the element, once for each page.
import { HitchpostConnect } from "./element.js";
import { TAG } from "./wish.js";

/** Makes `<hitchpost-connect>` known to this page, unless it is already. */
export function define(): void {
  if (!customElements.get(TAG)) customElements.define(TAG, HitchpostConnect);
}
