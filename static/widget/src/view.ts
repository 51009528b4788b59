// The button of <hitchpost-connect>, and its state. The panel draws the rest (panel.ts).
import { make } from "./dom.js";
import { inTrouble, press } from "./controller.js";
import type { Details } from "./events.js";
import { offers, wordOf } from "./labels.js";
import { hooks } from "./hooks.js";
import { readRequest } from "./request.js";
import { sheet } from "./styles.js";
import type { Connection, Step } from "./types.js";

/** The state of an element, which it reflects as an attribute. */
export type State = "idle" | "busy" | "trouble" | "connected" | "needs-reconnect";

/** What an element shows. */
export interface View {
  element: HTMLElement;
  /** The root part, which holds all others. */
  box: HTMLElement;
  button: HTMLButtonElement;
  state: State;
  /** The last step, while a flow runs. */
  step?: Step | undefined;
  /** The error of the last flow; null if it connected. */
  failure?: Details["failed"] | null | undefined;
  /** The account's connections that the element stands for. */
  connections: Connection[];
  /** Draws the element with the current words. */
  draw: () => void;
  /** Shows a step, or an ending, or neither. */
  show: (step?: Step, failure?: View["failure"]) => void;
}

/** Draws an element. It listens to the element's own events, so it shows what the host page is told. */
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
    const word = (key: string): string => wordOf(request, key);
    const { state: overall, multiple, connections = [] } = offers[request.connector] ?? {};
    const { connection } = request;
    view.connections = connections.filter(({ id, state }) => state !== "disconnected" && id === (connection ?? id));
    const known = connection ? view.connections[0]?.state : overall;
    const unknown = known === "unknown" && !!view.connections[0];
    const exists = known === "connected" || known === "needs_reconnect" || unknown;
    view.state = view.step ? (inTrouble(view.step) ? "trouble" : "busy") : exists && !unknown ? (known.replace("_", "-") as State) : "idle";
    // Text of the host's between the tags wins. White space, or a picture or style without a text, does not.
    const own = element.innerText.trim() || element.querySelector("[alt]:not([alt='']),[aria-label]");
    const name = !exists ? "button" : multiple && !connection ? "add_another" : "reconnect";
    slot.hidden = exists;
    label.textContent = own && !exists ? "" : word(name);
    Object.assign(box, { lang: word("lang"), dir: word("dir") });
    // For the page's styles. Only on the page: an element that is being created must have no attributes.
    if (element.isConnected) element.setAttribute("state", view.state);
    // Busy, not disabled: a disabled button would lose the focus, and a press brings the popup to the front.
    button.ariaBusy = `${!!view.step}`;
    // Of several connections, each has its own reconnect action.
    button.hidden = name === "reconnect" && view.connections.length > 1 && !view.step;
    hooks.paint(view);
  };

  const view: View = {
    element,
    box,
    button,
    state: "idle",
    connections: [],
    draw,
    show(step, failure) {
      Object.assign(view, { step, failure });
      draw();
    },
  };
  element.addEventListener("hitchpost:step", ({ detail: { step } }) => {
    if (step !== "prepared") view.show(step);
  });
  element.addEventListener("hitchpost:connected", () => { view.show(undefined, null); });
  element.addEventListener("hitchpost:failed", ({ detail }) => { view.show(undefined, detail); });
  slot.onslotchange = draw;
  draw();
  return view;
}

function createButton(element: HTMLElement, ...content: Node[]): HTMLButtonElement {
  const prefetch = (event: Event): void => { hooks.expect(element, event as MouseEvent); };
  const onclick = (): void => { press(element); };
  element.addEventListener("click", (event) => {
    // A link around the button is not followed. A form around it is not submitted, since it is in a shadow root.
    event.preventDefault();
    // The element itself is the target for its `click()` and for a label.
    if (event.composedPath()[0] === element && !element.matches(":disabled")) onclick();
  });
  return make("button", { part: "button", onclick, onpointerenter: prefetch, onmousedown: prefetch, onfocus: prefetch }, ...content);
}
