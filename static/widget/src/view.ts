// The button of <hitchpost-connect>, and its state. The panel draws the rest (panel.ts).
import { make } from "./dom.js";
import { offersChoice, press } from "./controller.js";
import type { Details } from "./events.js";
import { wordOf } from "./config.js";
import { hooks } from "./hooks.js";
import { readRequest } from "./request.js";
import { sheet } from "./button-styles.js";
import type { Connection, Step } from "./types.js";

/** The state of an element, reflected as its attribute `state`. */
export type State = "idle" | "busy" | "trouble" | "connected" | "needs-reconnect";

/** What an element shows. */
export interface View {
  element: HTMLElement;
  /** The part `box`, which contains all others. */
  box: HTMLElement;
  button: HTMLButtonElement;
  state: State;
  /** The last step, while a flow runs. */
  step?: Step | undefined;
  /** The error of the last flow; null if it connected. */
  failure?: Details["failed"] | null | undefined;
  /** The account's connections that the element shows: the one that it names, or all of its connector. */
  connections: Connection[];
  /** Draws the element with the current texts and connectors. */
  draw: () => void;
  /** Sets the step or the error in place of the last one, and draws. Without either, the element shows what is connected. */
  setStep: (step?: Step, failure?: View["failure"]) => void;
}

/** Creates the view of an element. It listens to the element's own events, so it shows what the host page receives. */
export function createView(element: HTMLElement): View {
  const root = element.attachShadow({ mode: "open" });
  const label = make("bdi", {});
  const slot = make("slot", {});
  const button = createButton(element, label, slot);
  const box = make("div", { part: "box" }, button);
  root.append(box);
  if (sheet) root.adoptedStyleSheets = [sheet];

  const draw = (): void => {
    const request = readRequest(element);
    const word = (key: string, fallback = ""): string => wordOf(request, key, fallback);
    const [state, key] = hooks.resolveState(view);
    view.state = !view.step ? state : offersChoice(view.step) ? "trouble" : "busy";
    // A label of the host's between the tags takes precedence: a text, or an image that has a text alternative.
    const hostLabel = element.innerText.trim() || element.querySelector("[alt]:not([alt='']),[aria-label]");
    slot.hidden = !!key;
    label.textContent = (key ?? !hostLabel) ? word(key ?? "button", "Connect") : "";
    Object.assign(box, { lang: word("lang"), dir: word("dir") });
    // For the page's CSS. Not before the element is on the page: a constructor must not set attributes.
    if (element.isConnected) element.setAttribute("state", view.state);
    // Not disabled: a disabled button would lose the focus, and a press of this one brings the popup to the front.
    button.ariaBusy = `${!!view.step}`;
    hooks.drawPanel(view);
  };

  const view: View = {
    element,
    box,
    button,
    state: "idle",
    connections: [],
    draw,
    setStep(step, failure) {
      Object.assign(view, { step, failure });
      draw();
    },
  };
  element.addEventListener("hitchpost:step", ({ detail: { step } }) => {
    if (step !== "prepared") view.setStep(step);
  });
  element.addEventListener("hitchpost:connected", () => { view.setStep(undefined, null); });
  element.addEventListener("hitchpost:failed", ({ detail }) => { view.setStep(undefined, detail); });
  slot.onslotchange = draw;
  draw();
  return view;
}

function createButton(element: HTMLElement, ...content: Node[]): HTMLButtonElement {
  const prefetch = (event: Event): void => { hooks.prefetch(element, event as MouseEvent); };
  const onclick = (): void => { press(element); };
  element.addEventListener("click", (event) => {
    // Or the browser would follow a link around the element. It never submits a form around it, because of the shadow root.
    event.preventDefault();
    // The element itself is the target if its `click()` was called or its label was pressed.
    if (event.composedPath()[0] === element && !element.matches(":disabled")) onclick();
  });
  return make("button", { part: "button", onclick, onpointerenter: prefetch, onmousedown: prefetch, onfocus: prefetch }, ...content);
}
