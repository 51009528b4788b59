// What a page needs only after its first paint comes in a file of its own, panel.js, which fills these in.
import { begin } from "./bff.js";
import type { Kit } from "./kit.js";
import type { Attempt, AttemptRequest } from "./types.js";
import type { View } from "./view.js";

/** What each of these files gives; `element` is the one that it was fetched for. */
export interface File {
  install: (kit: Kit, element: HTMLElement) => void;
}

export const later = {
  /** Where they are, once that is known. */
  folder: "",
  /** Fetches one of these files. */
  fetch: (url: string): Promise<File> => import(/* webpackIgnore: true */ url) as Promise<File>,
  /** Set once the file is on its way; it resolves when the file has come. */
  ready: undefined as Promise<unknown> | undefined,
  /** The user seems about to press this button. */
  expect: (() => undefined) as (button: Element, event: MouseEvent) => void,
  /** The attempt for a click: one that was made ahead of it, maybe. Nobody else will get it. */
  take: (request: AttemptRequest): Promise<Attempt> => begin(request, !request.delivery),
  /** Draws what an element shows beside its button. */
  paint: (() => undefined) as (view: View) => void,
  /** Sends this tab to the sign-in; `refused` is called if the page's policy keeps it. */
  leave: (_: Attempt, refused: () => void): void => { refused(); },
};
