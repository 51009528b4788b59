// <hitchpost-connect>, the custom element. What it shows is in view.ts.
import { load } from "./labels.js";
import { wishOf } from "./wish.js";
import { furnish } from "./view.js";

/** `<hitchpost-connect connector message locale delivery>` */
export class HitchpostConnect extends HTMLElement {
  static readonly observedAttributes = ["connector"];
  #name: (() => void) | undefined;

  /** The page shows the element: draws it, the first time, and asks for its words. */
  connectedCallback(): void {
    const name = (this.#name ??= furnish(this));
    name();
    void load(wishOf(this)).then(name);
  }

  /** Another connector: another name on the button. */
  attributeChangedCallback(): void {
    this.#name?.();
  }
}
