// The panel: what elements show beside their buttons, and all that a page needs only after its first paint.
import { deliveryHooks } from "./delivery.js";
import { replacementFinder } from "./replacements.js";
import type { Kit } from "./kit.js";
import { painter } from "./paint.js";
import { watchPolicy } from "./policy.js";
import { prefetchHooks } from "./prefetch.js";
import { storageHooks, resume } from "./resume.js";
import { refreshStates } from "./refresh-states.js";
import { humanize } from "./words.js";

/** How long (milliseconds) the product's words may take before `diagnose.js` is loaded. */
const WORDS_TIMEOUT = 4000;

/** Replaces the hooks of the script, whose `kit` this is. */
export function install(kit: Kit): void {
  const { hooks, redraw, subscribers } = kit;
  const paint = painter(kit);
  const { prepare, ...delivery } = deliveryHooks(kit);
  Object.assign(hooks, delivery, storageHooks(kit), prefetchHooks(kit), { replacement: replacementFinder(kit) });
  hooks.paint = (view) => {
    paint(view);
    prepare(kit.readRequest(view.element));
  };
  watchPolicy(kit);
  refreshStates(kit);
  translateErrors(kit);
  defineList(kit);
  diagnoseFailures(kit);
  redraw();
  const go = (event?: Event): void => { resume(kit, event); };
  go();
  subscribers.add(go);
  addEventListener("DOMContentLoaded", go);
  addEventListener("load", go);
}

/** Gives errors of the widget's own the product's words, before the page's listeners run. */
function translateErrors({ wordOf }: Kit): void {
  addEventListener("hitchpost:failed", ({ detail }) => {
    const { code, title, nextStep } = detail;
    if (title !== humanize(code)) return; // It has the BFF's words.
    const word = (key: string, fallback: string): string => wordOf({ connector: "" }, `error_${code}_${key}`, fallback);
    Object.assign(detail, { title: word("title", title), nextStep: word("next_step", nextStep) });
  }, true);
}

/** Loads `diagnose.js`, which logs the reason, after a failure to use the BFF, or if no words have come. */
function diagnoseFailures(kit: Kit): void {
  const diagnose = (): void => { kit.hooks.fetch(kit.hooks.folder + "diagnose.js").then(({ install }) => { install(kit, document.body); }, () => 0); };
  addEventListener("hitchpost:failed", ({ detail }) => {
    if (/signed|net|partner|inv/.test(detail.code)) diagnose();
  }, true);
  setTimeout(() => {
    if (kit.subscribers.size > 1 && !kit.settings.lang) diagnose();
  }, WORDS_TIMEOUT);
}

/** Defines <hitchpost-connections>. Its file is loaded where it is used. */
function defineList(kit: Kit): void {
  const name = "hitchpost-connections";
  if (customElements.get(name)) return;
  customElements.define(name, class extends HTMLElement {
    #drawn = false;

    connectedCallback(): void {
      if (this.#drawn) return;
      this.#drawn = true;
      kit.hooks.fetch(kit.hooks.folder + "connections.js").then(({ install }) => { install(kit, this); }, () => { this.#drawn = false; });
    }
  });
}
