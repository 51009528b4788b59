// What a page needs only after its first paint comes in a file of its own, panel.js, which puts its functions here.
import { begin } from "./bff.js";
import { requestOf } from "./connect.js";
import { openFor, type ConnectRequest } from "./flow.js";
import type { Kit } from "./kit.js";
import type { Popup } from "./popup.js";
import type { Attempt, AttemptRequest } from "./types.js";
import type { View } from "./view.js";

/** What each of these files gives; `element` is the one that it was fetched for. */
export interface File {
  install: (kit: Kit, element: HTMLElement) => void;
}

/** Until it has come, and where it is not to be had, a click opens a window and no more. */
export interface Later {
  /** Where the files are, once that is known. */
  folder: string;
  /** Fetches one of them. */
  fetch: (url: string) => Promise<File>;
  /** Set once the panel is on its way; it resolves when it has come. */
  ready?: Promise<unknown> | undefined;
  /** Opens the window of a sign-in, or gets this tab ready to leave; `refused` is called if the page's policy keeps it. Call it inside a click. */
  open: (request: ConnectRequest, refused: () => void) => Popup;
  /** What to ask of the BFF for a sign-in. */
  ask: (request: ConnectRequest) => AttemptRequest;
  /** The user seems about to press this button. */
  expect: (button: Element, event: MouseEvent) => void;
  /** The attempt for a click: one that was made ahead of it, maybe. Nobody else will get it. */
  take: (request: ConnectRequest) => Promise<Attempt>;
  /** Remembers the attempt that runs, for a reload. */
  remember: (id: string, request: ConnectRequest) => void;
  forget: (id: string) => void;
  /** The button that stands for a request whose own is gone; `shown` show a flow already. */
  heir: (request: ConnectRequest, shown: (Node | undefined)[], button: Element | undefined) => Element | undefined;
  /** Draws what an element shows beside its button. */
  paint: (view: View) => void;
}

const nothing = (): undefined => undefined;

export const later: Later = {
  folder: "",
  fetch: (url) => import(/* webpackIgnore: true */ url) as Promise<File>,
  open: openFor,
  ask: requestOf,
  expect: nothing,
  take: (request) => begin(requestOf(request), true),
  remember: nothing,
  forget: nothing,
  heir: nothing,
  paint: nothing,
};
