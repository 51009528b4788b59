// The flows that run on this page, and which button shows each. A flow is no button's own: pages draw theirs anew, or
// take them away, while the user signs in.
import { fire } from "./events.js";
import type { ConnectRequest } from "./flow.js";
import { later } from "./later.js";
import { readRequest } from "./request.js";
import type { Choice, Step } from "./types.js";

export interface Flow {
  request: ConnectRequest;
  /** The attempt that runs, once it was launched. */
  attempt?: string | undefined;
  /** What was told last. */
  step?: Step;
  /** The button that was pressed, or that took its place; the document for a call by script. */
  owner?: Node | undefined;
  /** What the user does to it; undefined is a press of the button itself. */
  steer: (choice?: Choice) => void;
}

export const flows = new Set<Flow>();

/** The flow that this button shows: its own, or one that has lost its button. All of these find one now. */
export function flowOf(button: Element): Flow | undefined {
  for (const flow of flows) {
    const { owner, step, attempt } = flow;
    const heir = ownerOf(flow, button);
    if (step && heir !== owner && heir !== document) fire(heir, "step", { step, attempt }); // How far it is.
  }
  return [...flows].find((flow) => flow.owner === button && standsFor(button, flow.request));
}

/**
 * Whom to tell: the button of this flow; else the one that stands for its connector by now; else the
 * document. `button` is one that may be out of sight, in a closed shadow root.
 */
export function ownerOf(flow: Flow, button?: Element): Node {
  const { owner, request } = flow;
  if (standsFor(owner, request)) return owner;
  const heir = later.heir(request, [...flows].map((each) => each.owner), button);
  return heir ? (flow.owner = heir) : document;
}

/** Whether this is on the page and, unless it is the document, still asks for the same as this request. */
export function standsFor(node: Node | undefined, request: ConnectRequest): node is Node {
  if (!node?.isConnected) return false;
  if (node === document) return true;
  const { connector, connection = request.connection } = readRequest(node as Element);
  return connector === request.connector && connection === request.connection;
}
