// What a page needs only after its first paint: what elements show beside their buttons, and what happens seldom.
import { deliverer } from "./delivery.js";
import { heirFinder } from "./heirs.js";
import type { Kit } from "./kit.js";
import { painter } from "./paint.js";
import { watchPolicy } from "./policy.js";
import { prefetcher } from "./prefetch.js";
import { rememberer, resume } from "./resume.js";
import { watchStates } from "./watch.js";
import { spelled } from "./words.js";

/** So long (milliseconds) may the product's words take to come. */
const WORDLESS = 4000;

/** Completes the script, whose `kit` this is. */
export function install(kit: Kit): void {
  const { later, renew, watchers } = kit;
  const paint = painter(kit);
  const { prepare, ...delivery } = deliverer(kit);
  Object.assign(later, delivery, rememberer(kit), prefetcher(kit), { heir: heirFinder(kit) });
  later.paint = (view) => {
    paint(view);
    prepare(kit.readRequest(view.element));
  };
  watchPolicy(kit);
  watchStates(kit);
  speak(kit);
  defineList(kit);
  explain(kit);
  renew();
  const go = (event?: Event): void => { resume(kit, event); };
  go();
  watchers.add(go);
  addEventListener("DOMContentLoaded", go);
  addEventListener("load", go);
}

/** An error that only the browser knows of gets the product's words, before anybody else is told of it. */
function speak({ wordOf }: Kit): void {
  addEventListener("hitchpost:failed", ({ detail }) => {
    const { code, title, nextStep } = detail;
    if (title !== spelled(code)) return; // The BFF has said it better.
    const word = (key: string, spare: string): string => wordOf({ connector: "" }, `error_${code}_${key}`, spare);
    Object.assign(detail, { title: word("title", title), nextStep: word("next_step", nextStep) });
  }, true);
}

/** What keeps this page from the BFF is explained in the console, by a file of its own: fetched after a failure, or where no words have come. */
function explain(kit: Kit): void {
  const ask = (): void => { kit.later.fetch(kit.later.folder + "diagnose.js").then(({ install }) => { install(kit, document.body); }, () => 0); };
  addEventListener("hitchpost:failed", ({ detail }) => {
    if (/signed|net|partner|inv/.test(detail.code)) ask();
  }, true);
  setTimeout(() => {
    if (kit.watchers.size > 1 && !kit.settings.lang) ask();
  }, WORDLESS);
}

/** <hitchpost-connections>: its file is fetched where it is used. */
function defineList(kit: Kit): void {
  const name = "hitchpost-connections";
  if (customElements.get(name)) return;
  customElements.define(name, class extends HTMLElement {
    #drawn = false;

    connectedCallback(): void {
      if (this.#drawn) return;
      this.#drawn = true;
      kit.later.fetch(kit.later.folder + "connections.js").then(({ install }) => { install(kit, this); }, () => { this.#drawn = false; });
    }
  });
}
