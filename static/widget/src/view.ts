// What <hitchpost-connect> shows: a button, a line that says how it goes, and what to choose in trouble.
import { make } from "./dom.js";
import { wordOf } from "./labels.js";
import { advice } from "./policy.js";
import { expect, press } from "./steer.js";
import { sheet } from "./styles.js";
import type { Choice } from "./types.js";
import { wishOf } from "./wish.js";
import { nextStepOf, titleOf } from "./words.js";

/** What can be chosen in trouble. */
const IN_TROUBLE: Choice[] = ["open_again", "continue_here", "cancel"];
/** What can be chosen after another account than the connected one has signed in. */
const AFTER_MISMATCH: Choice[] = ["use_account", "try_again"];

/**
 * Draws the element. It is driven by its own events, so it shows the same as the host page is told.
 * Returns what names the button anew, and says what is wrong with the page: whoever builds it sees that at once.
 */
export function furnish(element: HTMLElement): () => void {
  const word = (key: string, spare?: string): string => wordOf(wishOf(element), key, spare);
  const root = element.attachShadow({ mode: "open" });
  const label = make("bdi", {});
  const slot = make("slot", {});
  const button = pressable(element, label, slot);
  const status = make("div", { part: "status", ariaLive: "polite" });
  const actions = make("div", { part: "actions" });
  root.append(button, status, actions);
  if (sheet) root.adoptedStyleSheets = [sheet];
  /** Shows the same once more, as the words for it may have come meanwhile. */
  let again = (): void => undefined;

  function show(text: string, busy: boolean, choices: Choice[] = [], attempt?: string): void {
    status.textContent = text;
    // Busy, not disabled: a disabled button would lose the focus, and a press brings the popup to the front.
    button.ariaBusy = `${busy}`;
    // Nor may the focus fall off the page together with the button that had it.
    if (actions.contains(root.activeElement)) button.focus();
    actions.replaceChildren(
      ...choices.map((choice) =>
        make("button", {
          part: "action",
          textContent: word(choice),
          onclick: () => { press(element, choice, attempt); },
        }),
      ),
    );
  }

  element.addEventListener("hitchpost:step", ({ detail: { step } }) => {
    if (step !== "prepared") (again = () => { show(word(step), true, /unsure|blocked|not_loading/.test(step) ? IN_TROUBLE : []); })();
  });
  element.addEventListener("hitchpost:connected", () => { (again = () => { show(word("connected"), false); })(); });
  element.addEventListener("hitchpost:failed", ({ detail }) => {
    const { code, title, attempt, supportCode } = detail;
    // What the browser has found out itself is told in the product's words, and they may come later.
    const own = title === titleOf(code);
    (again = () => {
      const text = `${word(code, own ? titleOf(code) : title)}\n${own ? nextStepOf(code) : detail.nextStep} ${supportCode ?? ""}`;
      show(text, false, code === "account_mismatch" ? AFTER_MISMATCH : [], attempt);
    })();
  });

  const name = (): void => {
    again();
    if (advice) show(advice, false);
    // What the host wrote between the tags wins, if it is a name: white space, a picture or a style alone is none.
    const own = element.innerText.trim() || element.querySelector("[alt]:not([alt='']),[aria-label]");
    label.textContent = own ? "" : word("button");
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
