// What a page needs only after its first paint: what elements show beside their buttons, and what happens seldom.
import type { Kit } from "./kit.js";
import { leave } from "./leave.js";
import { painter } from "./paint.js";
import { watchPolicy } from "./policy.js";
import { prefetcher } from "./prefetch.js";
import { resume } from "./resumed.js";
import { watchStates } from "./watch.js";

/** Completes the script, whose `kit` this is. */
export function install(kit: Kit): void {
  const { later, renew, watchers } = kit;
  Object.assign(later, prefetcher(kit));
  later.paint = painter(kit);
  later.leave = (...given) => { leave(kit, ...given); };
  watchPolicy(kit);
  watchStates(kit);
  defineList(kit);
  renew();
  const go = (event?: Event): void => { resume(kit, event); };
  go();
  watchers.add(go);
  addEventListener("DOMContentLoaded", go);
  addEventListener("load", go);
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
