// What <hitchpost-connect> is made of: a button, and how it stands. The panel (panel.ts) draws what stands beside it.
import { make } from "./dom.js";
import { inTrouble, press } from "./controller.js";
import type { Details } from "./events.js";
import { offers, wordOf } from "./labels.js";
import { later } from "./later.js";
import { readRequest } from "./request.js";
import { sheet } from "./styles.js";
import type { Connection, Step } from "./types.js";

/** The state of an element, which it reflects as an attribute. */
export type State = "idle" | "busy" | "trouble" | "connected" | "needs-reconnect";

/** An element, and what it has to show. */
export interface View {
  element: HTMLElement;
  /** What all stands in. */
  box: HTMLElement;
  button: HTMLButtonElement;
  state: State;
  /** How far the flow is, while one runs. */
  step?: Step | undefined;
  /** How the last one ended: null is well. */
  failure?: Details["failed"] | null | undefined;
  /** The account's connections that it stands for. */
  connections: Connection[];
  /** Draws all anew, in the words that are known by now. */
  draw: () => void;
  /** Shows this step, or this ending, or the button alone. */
  show: (step?: Step, failure?: View["failure"]) => void;
}

/** Draws the element. It is driven by its own events, so it shows the same as the host page is told. */
export function furnish(element: HTMLElement): View {
  const root = element.attachShadow({ mode: "open" });
  const label = make("bdi", {});
  const slot = make("slot", {});
  const button = pressable(element, label, slot);
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
    const stands = known === "connected" || known === "needs_reconnect" || unknown;
    view.state = view.step ? (inTrouble(view.step) ? "trouble" : "busy") : stands && !unknown ? (known.replace("_", "-") as State) : "idle";
    // What the host wrote between the tags wins; white space between them, a picture or a style alone is no name.
    const own = element.innerText.trim() || element.querySelector("[alt]:not([alt='']),[aria-label]");
    const name = !stands ? "button" : multiple && !connection ? "add_another" : "reconnect";
    slot.hidden = stands;
    label.textContent = own && !stands ? "" : word(name);
    Object.assign(box, { lang: word("lang"), dir: word("dir") });
    // For the page's own styles. Not before the page has the element: a new one may bring no attributes.
    if (element.isConnected) element.setAttribute("state", view.state);
    // Busy, not disabled: a disabled button would lose the focus, and a press brings the popup to the front.
    button.ariaBusy = `${!!view.step}`;
    // Which of several to sign in to again is said beside each of them.
    button.hidden = name === "reconnect" && view.connections.length > 1 && !view.step;
    later.paint(view);
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

function pressable(element: HTMLElement, ...content: Node[]): HTMLButtonElement {
  const warm = (event: Event): void => { later.expect(element, event as MouseEvent); };
  const onclick = (): void => { press(element); };
  element.addEventListener("click", (event) => {
    // A button inside a link does not follow it; one in a shadow root belongs to no form around it.
    event.preventDefault();
    // On the element itself it comes from its `click()`, or from a label.
    if (event.composedPath()[0] === element && !element.matches(":disabled")) onclick();
  });
  return make("button", { part: "button", onclick, onpointerenter: warm, onmousedown: warm, onfocus: warm }, ...content);
}
