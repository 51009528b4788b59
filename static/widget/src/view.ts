// What <hitchpost-connect> shows: a button, a line that says how it goes, and what to choose in trouble.
import { make } from "./dom.js";
import { states, wordOf } from "./labels.js";
import { expect, inTrouble, press } from "./controller.js";
import { readRequest } from "./request.js";
import { settings } from "./session.js";
import { sheet } from "./styles.js";
import type { Choice } from "./types.js";

/** What can be chosen in trouble. */
const IN_TROUBLE: Choice[] = ["open_again", "continue_here", "cancel"];
/** What can be chosen after another account than the connected one has signed in. */
const AFTER_MISMATCH: Choice[] = ["use_account", "try_again"];

/** What the element is made of, and what changes it from outside. */
export interface View {
  button: HTMLButtonElement;
  /** Draws all anew, in the words that are known by now. */
  draw: () => void;
  /** Shows the button alone, as if nothing had been; with `idle`, since no flow runs, only if one is shown. */
  clear: (idle?: boolean) => void;
}

/** Draws the element. It is driven by its own events, so it shows the same as the host page is told. */
export function furnish(element: HTMLElement): View {
  const word = (key: string, spare?: string): string => wordOf(readRequest(element), key, spare);
  const root = element.attachShadow({ mode: "open" });
  const label = make("bdi", {});
  const slot = make("slot", {});
  const button = pressable(element, label, slot);
  const status = make("div", { part: "status", ariaLive: "polite" });
  const actions = make("div", { part: "actions" });
  root.append(button, status, actions);
  if (sheet) root.adoptedStyleSheets = [sheet];

  let text: () => string | undefined;
  let busy: boolean;
  let choices: Choice[];
  let ended: string | undefined;

  const draw = (): void => {
    // What the host wrote between the tags wins; white space between them, a picture or a style alone is no name.
    const own = element.innerText.trim() || element.querySelector("[alt]:not([alt='']),[aria-label]");
    label.textContent = own ? "" : word("button");
    for (const part of [label, status, actions]) Object.assign(part, { lang: word("lang"), dir: word("dir") });
    const connected = !busy && states[readRequest(element).connector] === "connected";
    // For the page's own styles. Not before the page has the element: a new one may bring no attributes.
    if (element.isConnected) element.setAttribute("state", busy ? (choices[0] ? "trouble" : "busy") : connected ? "connected" : "idle");
    // What is wrong with the page is said on it: whoever builds it sees that at once. Undefined empties it, as null does.
    status.textContent = (text() ?? settings.advice ?? (connected && word("connected"))) || null;
    // Busy, not disabled: a disabled button would lose the focus, and a press brings the popup to the front.
    button.ariaBusy = `${busy}`;
    // Nor may the focus fall off the page together with the button that had it.
    if (actions.contains(root.activeElement)) button.focus();
    actions.replaceChildren(
      ...choices.map((choice) =>
        make("button", {
          part: "action",
          textContent: word(choice),
          onclick: () => { press(element, choice, ended); },
        }),
      ),
    );
  };

  /** Says this, in the words that are known whenever it is drawn, and offers `choices`; `ended` is the attempt that has ended. */
  const show = (...now: [typeof text?, boolean?, Choice[]?, string?]): void => {
    [text = () => undefined, busy = false, choices = [], ended] = now;
    draw();
  };

  element.addEventListener("hitchpost:step", ({ detail: { step } }) => {
    if (step !== "prepared") show(() => word(step), true, inTrouble(step) ? IN_TROUBLE : []);
  });
  element.addEventListener("hitchpost:connected", () => { show(() => word("connected")); });
  element.addEventListener("hitchpost:failed", ({ detail: { code, title, nextStep, attempt, supportCode } }) => {
    const key = `error_${code}_`;
    const failure = (): string => `${word(code, word(key + "title", title))}\n${word(key + "next_step", nextStep)} ${supportCode ?? ""}`;
    show(failure, false, code === "account_mismatch" ? AFTER_MISMATCH : [], attempt);
  });
  slot.onslotchange = draw;
  show();
  return { button, draw, clear: (idle) => { if (!idle || busy) show(); } };
}

function pressable(element: HTMLElement, ...content: Node[]): HTMLButtonElement {
  const warm = (event: Event): void => { expect(element, event as MouseEvent); };
  const onclick = (): void => { press(element); };
  element.addEventListener("click", (event) => {
    // A button inside a link does not follow it; one in a shadow root belongs to no form around it.
    event.preventDefault();
    // On the element itself it comes from its `click()`, or from a label.
    if (event.composedPath()[0] === element && !element.matches(":disabled")) onclick();
  });
  return make("button", { part: "button", onclick, onpointerenter: warm, onmousedown: warm, onfocus: warm }, ...content);
}
