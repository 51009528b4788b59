// <hitchpost-connect>, the custom element. view.ts draws it.
import { loadConfig, subscribers } from "./config.js";
import { adoptFlow } from "./registry.js";
import { readRequest } from "./request.js";
import { createView } from "./view.js";

/** `<hitchpost-connect connector connection message locale delivery disabled>` */
export class HitchpostConnect extends HTMLElement {
  /** Lets a `fieldset` disable it and a `label` press it. */
  static readonly formAssociated = true;
  static readonly observedAttributes = ["connector", "connection", "locale", "state"];
  readonly #view = createView(this);
  readonly #reload = (): void => {
    this.#view.draw();
    void loadConfig(readRequest(this).locale).then(this.#view.draw);
    this.#syncFlow();
  };

  /** Loads the configuration, and shows a running flow for the same connector whose own button is gone. */
  connectedCallback(): void {
    subscribers.add(this.#reload);
    this.#reload();
  }

  /** Hands its flow to another button. The flow goes on even if there is none. */
  disconnectedCallback(): void {
    subscribers.delete(this.#reload);
    this.#syncFlow();
  }

  /** Adopts a running flow, if one needs a button. Shows its step, in place of that of a flow which the element shows no longer. */
  #syncFlow(): void {
    // In a microtask: the page may only be moving the element, or be about to add its replacement.
    queueMicrotask(() => {
      const step = adoptFlow(this)?.step;
      if (step !== this.#view.step) this.#view.setStep(step);
    });
  }

  /**
   * Draws the element again for another connector, connection or language, and if the page has removed its state: a morph removes
   * the attributes that the new HTML does not have.
   */
  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after || !this.isConnected) return;
    if (name === "state") {
      // Not for its own change. In a microtask: after the morph has removed the others.
      if (after !== this.#view.state) queueMicrotask(this.#view.draw);
    } else {
      if (name !== "locale") this.#view.setStep(); // Clears the step or error of the previous connector or connection.
      this.#reload();
    }
  }

  /** Called for the element's own `disabled` attribute and for a `fieldset` around it. */
  formDisabledCallback(disabled: boolean): void {
    this.#view.button.disabled = disabled;
    this.#view.draw();
  }

  /** Focuses its button. */
  override focus(options?: FocusOptions): void {
    this.#view.button.focus(options);
  }

  /** Whether its own attribute disables it. */
  get disabled(): boolean {
    return this.hasAttribute("disabled");
  }

  set disabled(disabled: boolean) {
    this.toggleAttribute("disabled", disabled);
  }
}
