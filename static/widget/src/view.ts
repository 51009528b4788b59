// What <hitchpost-connect> shows: a button, a line that says how it goes, and what to choose in trouble.
import { make } from "./dom.js";
import { labelOf } from "./labels.js";
import { choose, expect, press } from "./steer.js";
import { style } from "./styles.js";
import type { Choice } from "./types.js";
import { wishOf } from "./wish.js";
import { words } from "./words.js";

/** What can be chosen, and its English for when the BFF has told no words. */
const CHOICES: Record<Choice, string> = {
  open_again: "Open again",
  continue_here: "Continue in this tab",
  cancel: "Cancel",
};

/**
 * Draws the element. It is driven by its own events, so it shows the same as the host page is told.
 * Returns what names the button anew.
 */
export function furnish(element: HTMLElement): () => void {
  const root = element.attachShadow({ mode: "open" });
  const { button, status, actions, label, slot } = draw(element);
  root.append(button, status, actions);
  style(root);

  function show(text = "", busy = true, choices: string[] = []): void {
    status.textContent = text;
    // Busy, not disabled: a disabled button would lose the focus, and a press brings the popup to the front.
    button.ariaBusy = `${busy}`;
    // Nor may the focus fall off the page together with the button that had it.
    if (actions.contains(root.activeElement)) button.focus();
    actions.replaceChildren(...choices.map((choice) => choiceButton(element, choice as Choice)));
  }

  element.addEventListener("hitchpost:step", ({ detail: { step } }) => {
    if (step === "prepared") return;
    const inTrouble = step === "unsure" || step === "popup_blocked";
    show(words[step], true, inTrouble ? Object.keys(CHOICES) : []);
  });
  element.addEventListener("hitchpost:connected", () => { show(words.connected ?? "Connected", false); });
  element.addEventListener("hitchpost:failed", ({ detail: { code, title, nextStep, supportCode = "" } }) => {
    show(`${words[code] ?? title}\n${nextStep} ${code === "failed" ? supportCode : ""}`.trim(), false);
  });

  const name = (): void => {
    // What the host wrote between the tags wins; white space between them is no text.
    const own = element.firstElementChild ?? element.textContent.trim();
    label.textContent = own ? "" : labelOf(wishOf(element).connector);
  };
  slot.onslotchange = name;
  return name;
}

function draw(element: HTMLElement) {
  const warm = (): void => { expect(element); };
  const label = make("bdi", {});
  const slot = make("slot", {});
  const events = { onclick: () => { press(element); }, onpointerenter: warm, onpointerdown: warm, onfocus: warm };
  const button = make("button", { type: "button", part: "button", ...events }, label, slot);
  const status = make("span", { part: "status", ariaLive: "polite" });
  const actions = make("div", { part: "actions" });
  return { button, status, actions, label, slot };
}

function choiceButton(element: HTMLElement, choice: Choice): HTMLElement {
  return make("button", {
    type: "button",
    part: "action",
    textContent: words[choice] ?? CHOICES[choice],
    onclick: () => { choose(element, choice); },
  });
}
