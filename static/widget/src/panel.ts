// The panel: what elements show beside their buttons, and all that a page needs only after its first paint.
import { watchMismatchPolicy } from "./mismatch-policy.js";
import { connectedStateHook } from "./connected-state.js";
import { deliveryHooks } from "./delivery.js";
import { replacementFinder } from "./replacements.js";
import type { Kit } from "./kit.js";
import { painter } from "./paint.js";
import { watchCsp } from "./csp.js";
import { prefetchHooks, prefetchInUse } from "./prefetch.js";
import { storageHooks, resume } from "./resume.js";
import { refreshStates } from "./refresh-states.js";
import { humanize } from "./words.js";

/** How long (milliseconds) the configuration may take to load before `diagnose.js` looks for the cause. */
const CONFIG_TIMEOUT = 4000;
/** The pause (milliseconds) before a failed import of connections.js is repeated. Each further pause is four times as long. */
const FIRST_PAUSE = 1000;

/** Replaces the hooks of the script to which this kit belongs. */
export function install(kit: Kit): void {
  const { hooks, redraw, subscribers } = kit;
  const paint = painter(kit);
  const { testFormAction, ...delivery } = deliveryHooks(kit);
  Object.assign(hooks, delivery, storageHooks(kit), prefetchHooks(kit), { connectedState: connectedStateHook(kit), findReplacement: replacementFinder(kit) });
  hooks.paint = (view) => {
    paint(view);
    testFormAction(kit.readRequest(view.element));
  };
  for (const { attempt, request } of kit.flows) if (attempt) hooks.remember(attempt, request); // Launched before this file came.
  watchCsp(kit);
  refreshStates(kit);
  watchMismatchPolicy(kit);
  translateErrors(kit);
  defineList(kit);
  diagnoseFailures(kit);
  redraw();
  prefetchInUse(kit);
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
    if (title !== humanize(code)) return; // The texts are the BFF's, or meant for the page's developers.
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
    #importing = false;

    connectedCallback(): void {
      if (!this.#load) {
        this.#import(FIRST_PAUSE);
        return;
      }
      kit.subscribers.add(this.#load);
      this.#load(); // It was away, and may have missed a change.
    }

    disconnectedCallback(): void {
      if (this.#load) kit.subscribers.delete(this.#load);
    }

    /** `pause`: before the next try, in milliseconds. */
    #import(pause: number): void {
      if (this.#importing) return;
      this.#importing = true;
      // Each try has another URL, because browsers remember that a module failed to load.
      const retried = pause > FIRST_PAUSE ? `?${pause}` : "";
      kit.hooks.importModule(`${kit.hooks.folder}connections.js${retried}`).then(
        ({ install }) => {
          this.#load = install(kit, this) as () => void;
          if (this.isConnected) kit.subscribers.add(this.#load);
        },
        () => {
          this.#importing = false;
          setTimeout(() => { if (this.isConnected && !this.#load) this.#import(pause * 4); }, pause);
        },
      );
    }
  });
}
