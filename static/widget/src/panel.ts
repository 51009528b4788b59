// The panel: what elements show beside their buttons, and all that a page needs only after its first paint.
import { kept } from "./failures.js";
import { stateResolver } from "./connected-state.js";
import { deliveryHooks } from "./delivery.js";
import { replacementFinder } from "./replacements.js";
import type { Kit } from "./kit.js";
import { panelDrawer } from "./draw-panel.js";
import { watchCsp } from "./csp.js";
import { prefetchHooks, prefetchInUse } from "./prefetch.js";
import { attemptsLeft, storageHooks } from "./storage.js";
import { refreshStates } from "./refresh-states.js";

/** How long (milliseconds) the configuration may take to load before `diagnose.js` looks for the cause. */
const CONFIG_TIMEOUT = 4000;

/** Replaces the hooks of the script to which this kit belongs. */
export function install(kit: Kit): void {
  const { hooks, redraw, subscribers } = kit;
  const drawPanel = panelDrawer(kit);
  const { testFormAction, ...delivery } = deliveryHooks(kit);
  Object.assign(hooks, delivery, storageHooks(kit), prefetchHooks(kit), { resolveState: stateResolver(kit), findReplacement: replacementFinder(kit) });
  hooks.drawPanel = (view) => {
    drawPanel(view);
    testFormAction(kit.readRequest(view.element));
  };
  for (const { attempt, request } of kit.flows) if (attempt) hooks.storeAttempt(attempt, request); // Launched before this file came.
  watchCsp(kit);
  refreshStates(kit);
  translateErrors(kit);
  defineList(kit);
  diagnoseFailures(kit);
  redraw();
  prefetchInUse(kit);
  const forgetPreviousUser = userWatcher(kit);
  const onRedraw = (event?: Event): void => {
    forgetPreviousUser();
    // Not before the page has set where the BFF is, and its own scripts have had the time to add listeners. `event`: DOMContentLoaded or load.
    if (!kit.bffOrigin() || !(event ?? document.readyState === "complete") || !attemptsLeft(kit)[0]) return;
    void kit.importWithRetries("resume.js").then(({ install }) => install(kit, document.body));
  };
  onRedraw();
  subscribers.add(onRedraw);
  addEventListener("DOMContentLoaded", onRedraw);
  addEventListener("load", onRedraw);
}

/**
 * Returns the function that, once another user may have signed in, deletes what was loaded for the last one, and makes every flow find
 * out whether it is theirs. The window of a flow that is not must not stay: the next press would bring it to the front.
 */
function userWatcher({ flows, loadedConnectors, userEpoch }: Kit): () => void {
  let epoch = userEpoch();
  return () => {
    if (epoch === (epoch = userEpoch())) return;
    kept.clear();
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a key is an epoch and a language, or not there
    for (const key in loadedConnectors) if (!key.startsWith(`${epoch}`)) delete loadedConnectors[key];
    for (const { wake } of flows) wake();
  };
}

/** Replaces the English texts of the widget's own errors by the product's, before the page's listeners run. */
function translateErrors({ humanize, wordOf }: Kit): void {
  addEventListener("hitchpost:failed", ({ detail }) => {
    const { code, title, nextStep } = detail;
    if (title !== humanize(code)) return; // The texts are the BFF's, or meant for the page's developers.
    const word = (key: string, fallback: string): string => wordOf({ connector: "" }, `error_${code}_${key}`, fallback);
    Object.assign(detail, { title: word("title", title), nextStep: word("next_step", nextStep) });
  }, true);
}

/** Loads `diagnose.js`, which logs the cause, after an error that a wrong set-up can cause, or if the configuration does not load. */
function diagnoseFailures(kit: Kit): void {
  const diagnose = (): void => { kit.hooks.importModule(kit.hooks.folder + "diagnose.js").then(({ install }) => install(kit, document.body)).catch(() => 0); };
  addEventListener("hitchpost:failed", ({ detail }) => {
    if (/not_signed_in|network|partner_unavailable|invalid_request/.test(detail.code)) diagnose();
  }, true);
  setTimeout(() => {
    // Without an element nobody waits for the configuration. `onRedraw` is one subscriber, every element is another.
    if (kit.subscribers.size > 1 && kit.settings.style === undefined) diagnose();
  }, CONFIG_TIMEOUT);
}

/** Defines <hitchpost-connections>. connections.js is loaded when the first one is on the page. */
function defineList(kit: Kit): void {
  const name = "hitchpost-connections";
  if (customElements.get(name)) return;
  customElements.define(name, class extends HTMLElement {
    /** Loads and draws the list. Known once connections.js has come. */
    #load?: () => void;

    async connectedCallback(): Promise<void> {
      const { install } = await kit.importWithRetries("connections.js");
      if (!this.isConnected) return;
      if (this.#load) this.#load(); // It was away, and may have missed a change.
      kit.subscribers.add((this.#load ??= install(kit, this) as () => void));
    }

    disconnectedCallback(): void {
      if (this.#load) kit.subscribers.delete(this.#load);
    }
  });
}
