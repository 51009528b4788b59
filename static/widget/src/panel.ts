// The panel: what elements show beside their buttons, and all that a page needs only after its first paint.
import { watchAccountPolicy } from "./account-policy.js";
import { connectedStateHook } from "./connected-state.js";
import { deliveryHooks } from "./delivery.js";
import { replacementFinder } from "./replacements.js";
import type { Kit } from "./kit.js";
import { painter } from "./paint.js";
import { watchPolicy } from "./policy.js";
import { prefetchHooks } from "./prefetch.js";
import { storageHooks, resume } from "./resume.js";
import { refreshStates } from "./refresh-states.js";
import { humanize } from "./words.js";

/** How long (milliseconds) the configuration may take to load before `diagnose.js` looks for the cause. */
const CONFIG_TIMEOUT = 4000;

/** Replaces the hooks of the script to which this kit belongs. */
export function install(kit: Kit): void {
  const { hooks, redraw, subscribers } = kit;
  const paint = painter(kit);
  const { testFormPolicy, ...delivery } = deliveryHooks(kit);
  Object.assign(hooks, delivery, storageHooks(kit), prefetchHooks(kit), { connectedState: connectedStateHook(kit), findReplacement: replacementFinder(kit) });
  hooks.paint = (view) => {
    paint(view);
    testFormPolicy(kit.readRequest(view.element));
  };
  watchPolicy(kit);
  refreshStates(kit);
  watchAccountPolicy(kit);
  translateErrors(kit);
  defineList(kit);
  diagnoseFailures(kit);
  redraw();
  const resumeFlows = (event?: Event): void => { resume(kit, event); };
  resumeFlows();
  subscribers.add(resumeFlows);
  addEventListener("DOMContentLoaded", resumeFlows);
  addEventListener("load", resumeFlows);
}

/** Replaces the English texts of the widget's own errors by the product's, before the page's listeners run. */
function translateErrors({ wordOf }: Kit): void {
  addEventListener("hitchpost:failed", ({ detail }) => {
    const { code, title, nextStep } = detail;
    if (title !== humanize(code)) return; // The BFF made this error: its texts are the product's already.
    const word = (key: string, fallback: string): string => wordOf({ connector: "" }, `error_${code}_${key}`, fallback);
    Object.assign(detail, { title: word("title", title), nextStep: word("next_step", nextStep) });
  }, true);
}

/** Loads `diagnose.js`, which logs the cause, after an error that a wrong set-up can cause, or if the configuration does not load. */
function diagnoseFailures(kit: Kit): void {
  const diagnose = (): void => { kit.hooks.importModule(kit.hooks.folder + "diagnose.js").then(({ install }) => { install(kit, document.body); }, () => 0); };
  addEventListener("hitchpost:failed", ({ detail }) => {
    if (/not_signed_in|network|partner_unavailable|invalid_request/.test(detail.code)) diagnose();
  }, true);
  setTimeout(() => {
    // `resumeFlows` is one subscriber, every element is another.
    if (kit.subscribers.size > 1 && !kit.settings.lang) diagnose();
  }, CONFIG_TIMEOUT);
}

/** Defines <hitchpost-connections>. connections.js is loaded when the first one is on the page. */
function defineList(kit: Kit): void {
  const name = "hitchpost-connections";
  if (customElements.get(name)) return;
  customElements.define(name, class extends HTMLElement {
    #installed = false;

    connectedCallback(): void {
      if (this.#installed) {
        kit.redraw(); // It was away, and may have missed a change.
        return;
      }
      this.#installed = true;
      kit.hooks.importModule(kit.hooks.folder + "connections.js").then(({ install }) => { install(kit, this); }, () => { this.#installed = false; });
    }
  });
}
