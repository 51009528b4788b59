// <hitchpost-connect>, the custom element. view.ts draws it.
import { load, subscribers } from "./labels.js";
import { flowOf } from "./registry.js";
import { readRequest } from "./request.js";
import { createView } from "./view.js";

/** `<hitchpost-connect connector connection message locale delivery disabled>` */
export class HitchpostConnect extends HTMLElement {
  /** Lets a `fieldset` disable it and a `label` press it. */
  static readonly formAssociated = true;
  static readonly observedAttributes = ["connector", "connection", "locale"];
  readonly #view = createView(this);
  readonly #reload = (): void => {
    this.#view.draw();
    void load(readRequest(this)).then(this.#view.draw);
  };

  /** Loads the words, and shows the flow that the element stands for. */
  connectedCallback(): void {
    subscribers.add(this.#reload);
    this.#reload();
    this.#showFlow();
  }

  /** The flow goes on without the element, perhaps shown by another one. */
  disconnectedCallback(): void {
    subscribers.delete(this.#reload);
    this.#showFlow();
  }

  /** Shows the button alone if the element no longer stands for a flow. */
  #showFlow(): void {
    // In a microtask: the page may only be moving the element, or about to draw its replacement.
    queueMicrotask(() => {
      if (!flowOf(this) && this.#view.step) this.#view.show();
    });
  }

  /** Draws the element again for another connector, connection or language. */
  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after || !this.isConnected) return;
    if (name !== "locale") this.#view.show(); // What it shows is about the old one.
    this.connectedCallback();
  }

  /** Called for its own attribute and for a `fieldset` around it. */
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
