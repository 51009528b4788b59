// The flows that run on this page, and the button that shows each. A flow outlives its button: pages draw their buttons
// again, or remove them, while the user signs in.
import { fire } from "./events.js";
import type { ConnectRequest } from "./flow.js";
import { hooks } from "./hooks.js";
import { readRequest } from "./request.js";
import type { Choice, Step } from "./types.js";

export interface Flow {
  request: ConnectRequest;
  /** The attempt that runs, once it was launched. */
  attempt?: string | undefined;
  /** The last step that was reported. */
  step?: Step;
  /** The button that was pressed, or its replacement; the document for a call by script. */
  owner?: Node | undefined;
  /** Handles a choice of the user; undefined for a press of the button. */
  choose: (choice?: Choice) => void;
}

export const flows = new Set<Flow>();

/** The flow that this button shows. First gives every flow without a button a replacement, which may be this one. */
export function flowOf(button: Element): Flow | undefined {
  for (const flow of flows) {
    const { owner, step, attempt } = flow;
    const replacement = ownerOf(flow, button);
    if (step && replacement !== owner && replacement !== document) fire(replacement, "step", { step, attempt }); // Shows the current step.
  }
  return [...flows].find((flow) => flow.owner === button && matchesRequest(button, flow.request));
}

/**
 * The node that gets the events of a flow: its button, else a replacement, else the document. `button` is a candidate
 * that a search may not find, as in a closed shadow root.
 */
export function ownerOf(flow: Flow, button?: Element): Node {
  const { owner, request } = flow;
  if (matchesRequest(owner, request)) return owner;
  const replacement = hooks.replacement(request, [...flows].map((each) => each.owner), button);
  return replacement ? (flow.owner = replacement) : document;
}

/** Whether a node is on the page and is the document, or still asks for the same connector and connection. */
export function matchesRequest(node: Node | undefined, request: ConnectRequest): node is Node {
  if (!node?.isConnected) return false;
  if (node === document) return true;
  const { connector, connection = request.connection } = readRequest(node as Element);
  return connector === request.connector && connection === request.connection;
}
