// <hitchpost-connect>: a button, a line that says how it goes, and what to choose in trouble.
import type { Wish } from "./flow.js";
import { labelOf, load } from "./labels.js";
import { choose, expect, press } from "./steer.js";
import { style } from "./styles.js";
import type { Choice, Step } from "./types.js";
import { words } from "./words.js";

/** What can be chosen, with the key and the English of its words. */
const CHOICES: readonly [Choice, string, string][] = [
  ["again", "open_again", "Open again"],
  ["here", "continue_here", "Continue in this tab"],
  ["cancel", "cancel", "Cancel"],
];

// On a server there are no elements, and importing this must not fail there.
const Base = (globalThis as { HTMLElement?: typeof HTMLElement }).HTMLElement ?? (Object as unknown as typeof HTMLElement);

/** The element. It is driven by its own events, so it shows the same as the host page is told. */
export class HitchpostConnect extends Base {
  static readonly observedAttributes = ["connector"];

  #button!: HTMLButtonElement;
  #label!: HTMLElement;
  #status!: HTMLElement;
  #actions!: HTMLElement;
  #launched = false;

  /** The page shows the element: draws it, the first time, and asks for its words. */
  connectedCallback(): void {
    if (!this.shadowRoot) this.#build();
    this.#draw();
    void load().then(() => { this.#draw(); });
  }

  /** Another connector: another name on the button. */
  attributeChangedCallback(): void {
    if (this.shadowRoot) this.#draw();
  }

  /** What this element asks for now. */
  get wish(): Wish {
    const get = (name: string): string | undefined => this.getAttribute(name) ?? undefined;
    return {
      connector: get("connector") ?? "",
      message: get("message"),
      locale: get("locale"),
      delivery: get("delivery") === "return" ? "return" : undefined,
    };
  }

  #build(): void {
    const root = this.attachShadow({ mode: "open" });
    style(root);
    this.#label = make("bdi");
    const slot = make("slot");
    slot.addEventListener("slotchange", () => { this.#draw(); });
    this.#button = make("button", "button");
    this.#button.append(this.#label, slot);
    this.#status = make("span", "status");
    this.#status.ariaLive = "polite";
    this.#actions = make("div", "actions");
    this.#actions.role = "group";
    this.#actions.hidden = true;
    root.append(this.#button, this.#status, this.#actions);
    this.#listen();
  }

  #listen(): void {
    this.#button.addEventListener("click", () => { press(this, this.wish, true); });
    for (const name of ["pointerenter", "pointerdown", "focus"]) {
      this.#button.addEventListener(name, () => { expect(this, this.wish); });
    }
    this.addEventListener("hitchpost:step", ({ detail }) => { this.#step(detail.step); });
    this.addEventListener("hitchpost:connected", () => { this.#end(words.connected ?? "Connected"); });
    this.addEventListener("hitchpost:failed", ({ detail: { code, title, nextStep, supportCode } }) => {
      this.#end([words[code] ?? title, nextStep, code === "failed" ? supportCode : ""].join("\n").trim());
    });
  }

  #draw(): void {
    // What the host wrote between the tags wins; white space between them is no text.
    const own = !!this.firstElementChild || !!this.textContent.trim();
    this.#label.textContent = own ? "" : labelOf(this.wish.connector);
  }

  #step(step: Step): void {
    if (step === "prepared") return;
    if (step === "opening") this.#launched = false;
    if (step === "launched") this.#launched = true;
    this.#status.textContent = words[step === "launched" ? "waiting" : step] ?? "";
    this.#busy(true);
    if (step === "unsure" || step === "popup_blocked") this.#offer();
    // While the last news is awaited, the user may still give up.
    else if (step !== "finishing") this.#hide();
  }

  #end(text: string): void {
    this.#status.textContent = text;
    this.#busy(false);
    this.#hide();
  }

  // Busy, not disabled: a disabled button would lose the focus, and a press brings the popup to the front.
  #busy(busy: boolean): void {
    this.#button.ariaBusy = `${busy}`;
  }

  #offer(): void {
    const offered = CHOICES.filter(([choice]) => choice !== "here" || !this.#launched);
    this.#actions.replaceChildren(
      ...offered.map(([choice, key, english]) => {
        const button = make("button", "action");
        button.textContent = words[key] ?? english;
        button.addEventListener("click", () => {
          this.#hide();
          choose(this, choice);
        });
        return button;
      }),
    );
    this.#actions.hidden = false;
  }

  #hide(): void {
    // The focus must not fall off the page together with the button that had it.
    if (this.#actions.contains(this.shadowRoot?.activeElement ?? null)) this.#button.focus();
    this.#actions.hidden = true;
  }
}

function make<Name extends keyof HTMLElementTagNameMap>(name: Name, part?: string): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (part) made.setAttribute("part", part);
  if (made instanceof HTMLButtonElement) made.type = "button";
  return made;
}
