// Keeps the error of a failed sign-in: moves it to a replacement element, and drops it once the connector becomes connected.
import type { Details } from "./events.js";
import type { Kit } from "./kit.js";
import type { State, View } from "./view.js";

/** How long (milliseconds) an error may move to a replacement element: as long as the other account may be used (`use_account`). */
const KEPT_FOR = 900_000;

interface Kept {
  owner: EventTarget | undefined;
  failure: Details["failed"];
  /** Until when another element takes it over (milliseconds, as `Date.now()`). */
  until: number;
  /** The connector's state when the failure was first drawn, once the connector is known. */
  state?: State;
}

/** Returns the function that corrects the failure of a view. It is called for each drawing, with the state that the connector gives. */
export function failureKeeper({ offerOf, readRequest, userEpoch }: Kit): (view: View, state: State) => void {
  const kept = new Map<string, Kept>();
  /** The `userEpoch` of the last drawing of each view. */
  const lastEpochs = new WeakMap<View, number>();
  const keyOf = (element: Element): string => {
    const { connector, connection } = readRequest(element);
    return JSON.stringify([userEpoch(), connector, connection]);
  };
  // In the capture phase: before the element draws itself.
  for (const name of ["failed", "step"] as const) {
    addEventListener(`hitchpost:${name}`, (event) => {
      const [owner] = event.composedPath();
      if (!(owner instanceof Element)) return;
      if (name === "failed") kept.set(keyOf(owner), { owner, failure: event.detail as Details["failed"], until: Date.now() + KEPT_FOR });
      else if ((event.detail as Details["step"]).step !== "prepared") kept.delete(keyOf(owner)); // The next try.
    }, true);
  }

  return (view, state) => {
    const { element } = view;
    const epoch = userEpoch();
    // Drops the failure of another user, and the null (connected) of a connector that is connected no longer.
    if ((lastEpochs.get(view) ?? epoch) !== epoch || (view.failure === null && view.state === "connected" && state !== "connected")) view.failure = undefined;
    lastEpochs.set(view, epoch);
    const found = kept.get(keyOf(element));
    if (!found || view.step) return;
    if (element.isConnected && !(found.owner as Element).isConnected && Date.now() < found.until && view.failure === undefined) {
      view.failure = found.failure;
      found.owner = element;
    }
    if (found.owner !== element || !view.failure || !offerOf(readRequest(element))) return;
    found.state ??= state;
    if (state !== "connected" || found.state === state) return;
    view.failure = undefined;
    kept.delete(keyOf(element));
  };
}

/** Sets on the error of a flow which connection it was to reconnect, so that *Try again* is about the same one. */
export function keepConnection(ending: Promise<unknown>, connection: string | undefined): void {
  ending.catch((error: unknown) => { (error as Details["failed"]).connection = connection; });
}
