// What <hitchpost-connect> shows: a button, a line that says how it goes, and what to choose in trouble.
import { make } from "./dom.js";
import { wordOf } from "./labels.js";
import { advice } from "./policy.js";
import { expect, press } from "./steer.js";
import { sheet } from "./styles.js";
import type { Choice } from "./types.js";
import { wishOf } from "./wish.js";

/** What can be chosen in trouble. */
const IN_TROUBLE: Choice[] = ["open_again", "continue_here", "cancel"];
/** What can be chosen after another account than the connected one has signed in. */
const AFTER_MISMATCH: Choice[] = ["use_account", "try_again"];

/**
 * Draws the element. It is driven by its own events, so it shows the same as the host page is told.
 * Returns what names the button anew, and says what is wrong with the page: whoever builds it sees that at once.
 */
export function furnish(element: HTMLElement): () => void {
  const word = (key: string): string | undefined => wordOf(wishOf(element), key);
  const root = element.attachShadow({ mode: "open" });
  const label = make("bdi", {});
  const slot = make("slot", {});
  const button = pressable(element, label, slot);
  const status = make("div", { part: "status", ariaLive: "polite" });
  const actions = make("div", { part: "actions" });
  root.append(button, status, actions);
  root.adoptedStyleSheets = [sheet];

  function show(text: string | undefined, busy: boolean, choices: Choice[] = [], attempt?: string): void {
    status.textContent = text as string | null; // undefined empties it, as null does
    // Busy, not disabled: a disabled button would lose the focus, and a press brings the popup to the front.
    button.ariaBusy = `${busy}`;
    // Nor may the focus fall off the page together with the button that had it.
    if (actions.contains(root.activeElement)) button.focus();
    actions.replaceChildren(
      ...choices.map((choice) =>
        make("button", {
          part: "action",
          textContent: word(choice) ?? choice,
          onclick: () => { press(element, choice, attempt); },
        }),
      ),
    );
  }

  element.addEventListener("hitchpost:step", ({ detail: { step } }) => {
    // What is known of the window is not taken back for a guess.
    const key = step === "unsure" && status.textContent === word("cut_off") ? "cut_off" : step;
    if (step !== "prepared") show(word(key), true, /unsure|blocked|cut|interr/.test(step) ? IN_TROUBLE : []);
  });
  element.addEventListener("hitchpost:connected", () => { show(word("connected"), false); });
  element.addEventListener("hitchpost:failed", ({ detail: { code, title, nextStep, attempt, supportCode } }) => {
    const text = `${word(code) ?? title}\n${nextStep} ${supportCode ?? ""}`;
    show(text, false, code === "account_mismatch" ? AFTER_MISMATCH : [], attempt);
  });

  const name = (): void => {
    if (advice) show(advice, false);
    // What the host wrote between the tags wins; white space between them is no text.
    const own = element.firstElementChild ?? element.textContent.trim();
    label.textContent = own ? "" : (word("button") as string | null);
    for (const part of [label, status, actions]) Object.assign(part, { lang: word("lang"), dir: word("dir") });
  };
  slot.onslotchange = name;
  return name;
}

// A button in a shadow root belongs to no form around it: it needs no type to keep it from submitting one.
function pressable(element: HTMLElement, ...content: Node[]): HTMLButtonElement {
  const warm = (event: Event): void => { expect(element, event as MouseEvent); };
  const onclick = (): void => { press(element); };
  return make("button", { part: "button", onclick, onpointerenter: warm, onmousedown: warm, onfocus: warm }, ...content);
}
