// Registers the element, once for each page.
import { HitchpostConnect } from "./element.js";

/** The element's name. */
export const TAG = "hitchpost-connect";

/** Makes `<hitchpost-connect>` known to this page, unless it is already. */
export function define(): void {
  if (!customElements.get(TAG)) customElements.define(TAG, HitchpostConnect);
}
