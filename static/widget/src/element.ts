// <hitchpost-connect>, the custom element. What it shows is in view.ts.
import { load, watchers } from "./labels.js";
import { wishOf } from "./wish.js";
import { furnish } from "./view.js";

/** `<hitchpost-connect connector message locale delivery>` */
export class HitchpostConnect extends HTMLElement {
  static readonly observedAttributes = ["connector", "locale"];
  #name: (() => void) | undefined;
  readonly #renew = (): void => { this.connectedCallback(); };

  /** The page shows the element: draws it, the first time, and asks for its words. */
  connectedCallback(): void {
    const name = (this.#name ??= furnish(this));
    name();
    watchers.add(this.#renew);
    void load(wishOf(this)).then(name);
  }

  /** The page shows it no more. */
  disconnectedCallback(): void {
    watchers.delete(this.#renew);
  }

  /** Another connector, or another language: another name on the button. */
  attributeChangedCallback(): void {
    if (this.#name) this.connectedCallback();
  }
}
