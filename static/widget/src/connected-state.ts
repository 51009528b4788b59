// What is connected, as an element shows it.
import { connectorOf } from "./connector.js";
import { failureKeeper } from "./failures.js";
import type { Kit } from "./kit.js";
import type { Hooks } from "./hooks.js";
import type { State, View } from "./view.js";

/** The hook that finds an element's state, and the key of its button's text, from the state of its connector. */
export function stateResolver(kit: Kit): Hooks["resolveState"] {
  const correctFailure = failureKeeper(kit);
  return (view) => {
    const found = findState(kit, view);
    correctFailure(view, found[0]);
    return found;
  };
}

function findState(kit: Kit, view: View): [State, string?] {
  const request = kit.readRequest(view.element);
  const { connection } = request;
  const { state: connectorState, multiple, connections = [] } = connectorOf(kit, request) ?? {};
  view.connections = connections.filter(({ id, state }) => state !== "disconnected" && id === (connection ?? id));
  const state = connection ? view.connections[0]?.state : connectorState;
  // Connected before, but the partner service cannot be reached now.
  const isUnreachable = state === "unknown" && !!view.connections[0];
  if (state !== "connected" && state !== "needs_reconnect" && !isUnreachable) return ["idle"];
  return [isUnreachable ? "idle" : (state.replace("_", "-") as State), multiple && !connection ? "add_another" : "reconnect"];
}
