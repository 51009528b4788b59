// Keeps the error of a failed sign-in: moves it to a replacement element, and drops it once the connector becomes connected.
import { connectorOf } from "./connector.js";
import type { Details } from "./events.js";
import type { Kit } from "./kit.js";
import type { State, View } from "./view.js";

/** How long (milliseconds) an error may move to a replacement element: as long as the other account may be used (`use_account`). */
const KEPT_FOR = 900_000;

/** The error that one element shows. */
interface Kept {
  element: Element;
  /** The user (`userEpoch`), the connector and the connection that it is about. */
  key: string;
  failure: Details["failed"];
  /** Until when another element takes it over (milliseconds, as `Date.now()`). */
  until: number;
  /** The connector's state when the failure was first drawn, once the connector is known. */
  state?: State;
}

/** The errors that elements show, or showed when they left the page. Those of previous users are deleted by the panel. */
export const kept = new Set<Kept>();

const keyOf = ({ readRequest, userEpoch }: Kit, element: Element): string => {
  const { connector, connection } = readRequest(element);
  return JSON.stringify([userEpoch(), connector, connection]);
};

/**
 * Keeps `failure`, the error that an element shows now (undefined: none). Drops the last one of this element, and those with the same key
 * whose element has left the page.
 */
export function keepFailure(kit: Kit, element: Element, failure: Details["failed"] | undefined): void {
  const key = keyOf(kit, element);
  for (const each of kept) if (each.element === element || (each.key === key && !each.element.isConnected)) kept.delete(each);
  if (failure) kept.add({ element, key, failure, until: Date.now() + KEPT_FOR });
}

/**
 * Returns the function that corrects the failure of a view before each drawing. `state` is the element's state before any
 * failure, as its connector gives it (`resolveState`). The function drops a failure that holds no longer, and gives the view that of an
 * element which it replaces.
 */
export function failureKeeper(kit: Kit): (view: View, state: State) => void {
  const { readRequest, userEpoch } = kit;
  /** The `userEpoch` of the last drawing of each view. */
  const lastEpochs = new WeakMap<View, number>();
  // In the capture phase: before the element draws itself.
  for (const name of ["failed", "step"] as const) {
    addEventListener(`hitchpost:${name}`, (event) => {
      const [element] = event.composedPath();
      if (!(element instanceof Element) || (event.detail as Details["step"]).step === "prepared") return;
      keepFailure(kit, element, name === "failed" ? (event.detail as Details["failed"]) : undefined);
    }, true);
  }

  return (view, state) => {
    const { element } = view;
    const epoch = userEpoch();
    // Drops the failure of another user, and the null (connected) of a connector that is connected no longer.
    if ((lastEpochs.get(view) ?? epoch) !== epoch || (view.failure === null && view.state === "connected" && state !== "connected")) view.failure = undefined;
    lastEpochs.set(view, epoch);
    const key = keyOf(kit, element);
    for (const each of kept) {
      const isGone = !each.element.isConnected;
      if (isGone && Date.now() >= each.until) {
        kept.delete(each); // Or the element would stay in memory, with the page that it was on.
        continue;
      }
      if (each.key !== key || view.step) continue;
      if (element.isConnected && isGone && view.failure === undefined) {
        view.failure = each.failure;
        each.element = element;
      }
      if (each.element !== element || !view.failure || !connectorOf(kit, readRequest(element))) continue;
      each.state ??= state;
      if (state !== "connected" || each.state === state) continue;
      view.failure = undefined;
      kept.delete(each);
    }
  };
}

/** If the flow fails, sets on its error the connection that it was to reconnect, so that *Try again* is about the same one. */
export function noteConnectionOnFailure(ending: Promise<unknown>, connection: string | undefined): void {
  ending.catch((error: unknown) => { (error as Details["failed"]).connection = connection; });
}
