// <hitchpost-connect>, the custom element. What it shows is in view.ts.
import { load, watchers } from "./labels.js";
import { flowOf } from "./registry.js";
import { readRequest } from "./request.js";
import { furnish } from "./view.js";

/** `<hitchpost-connect connector connection message locale delivery disabled>` */
export class HitchpostConnect extends HTMLElement {
  /** So a `fieldset` disables it, and a `label` presses it. */
  static readonly formAssociated = true;
  static readonly observedAttributes = ["connector", "connection", "locale"];
  readonly #view = furnish(this);
  readonly #renew = (): void => {
    this.#view.draw();
    void load(readRequest(this)).then(this.#view.draw);
  };

  /** The page shows the element: asks for its words, and finds the flow that it is to show. */
  connectedCallback(): void {
    watchers.add(this.#renew);
    this.#renew();
    this.#follow();
  }

  /** A flow that runs goes on, shown by another element perhaps. */
  disconnectedCallback(): void {
    watchers.delete(this.#renew);
    this.#follow();
  }

  /** Shows the flow that is its own now. */
  #follow(): void {
    // Not at once: the page may only move the element, and has not drawn the others yet.
    queueMicrotask(() => {
      if (!flowOf(this) && this.#view.step) this.#view.show();
    });
  }

  /** Another connector, another language: another name on the button. */
  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after || !this.isConnected) return;
    if (name !== "locale") this.#view.show(); // What it shows was said of the other one.
    this.connectedCallback();
  }

  /** By its attribute, or by a `fieldset` around it. */
  formDisabledCallback(disabled: boolean): void {
    this.#view.button.disabled = disabled;
  }

  /** Focuses its button. */
  override focus(options?: FocusOptions): void {
    this.#view.button.focus(options);
  }

  /** Whether its attribute disables it. */
  get disabled(): boolean {
    return this.hasAttribute("disabled");
  }

  set disabled(disabled: boolean) {
    this.toggleAttribute("disabled", disabled);
  }
}
