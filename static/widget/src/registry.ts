// Knows which button shows which flow. A flow outlives its button: pages remove or redraw their buttons while the user signs in.
import { fire } from "./events.js";
import { hooks } from "./hooks.js";
import { readRequest } from "./request.js";
import type { Choice, ConnectRequest, Step } from "./types.js";

/** What a press, a call of `connect` or a resume begins, until its end. It may go through several attempts. */
export interface Flow {
  request: ConnectRequest;
  /** Id of the running attempt, once it has been launched. */
  attempt?: string | undefined;
  /** The last step that was reported. */
  step?: Step;
  /** The button that was pressed, or its replacement; the document for a call of `connect`. */
  owner?: Node | undefined;
  /** Handles a choice of the user. Without `choice`: a further press of the button. */
  choose: (choice?: Choice) => void;
  /** Makes it read the status: another user may have signed in. */
  wake: () => void;
}

/** The flows that run on this page. */
export const flows = new Set<Flow>();

/**
 * Hands every flow whose button is gone to a replacement, possibly to `button`, and fires the flow's current step there. Then returns
 * the flow that `button` shows.
 */
export function adoptFlow(button: Element): Flow | undefined {
  for (const flow of flows) {
    const { owner, step, attempt } = flow;
    const newOwner = resolveOwner(flow, button);
    if (step && newOwner !== owner && newOwner !== document) fire(newOwner, "step", { step, attempt });
  }
  return [...flows].find((flow) => flow.owner === button && matchesRequest(button, flow.request));
}

/**
 * Returns the node that gets the events of a flow: its button, else a replacement, which becomes its owner, else the
 * document. `candidate` is a button that a search of the document may miss, as in a closed shadow root.
 */
export function resolveOwner(flow: Flow, candidate?: Element): Node {
  const { owner, request } = flow;
  if (matchesRequest(owner, request)) return owner;
  return (flow.owner = hooks.findReplacement(request, [...flows].map((each) => each.owner), candidate)) ?? document;
}

/** Whether a node is on the page, and is the document or a button that still has the request's connector, and names its connection or none. */
export function matchesRequest(node: Node | undefined, request: ConnectRequest): node is Node {
  if (!node?.isConnected) return false;
  if (node === document) return true;
  const { connector, connection = request.connection } = readRequest(node as Element);
  return connector === request.connector && connection === request.connection;
}
