// Hooks that panel.js replaces: what a page needs only after its first paint is in that file.
import { begin } from "./bff.js";
import { requestOf } from "./connect.js";
import { openSignIn, type ConnectRequest } from "./flow.js";
import type { Kit } from "./kit.js";
import type { Popup } from "./popup.js";
import type { Attempt, AttemptRequest } from "./types.js";
import type { View } from "./view.js";

/** A file that is loaded later; `element` is the one that needs it. */
export interface File {
  install: (kit: Kit, element: HTMLElement) => void;
}

/** The defaults open a popup and do nothing else. */
export interface Hooks {
  /** URL of the folder with the files. Set before the first load. */
  folder: string;
  /** Loads one of them. */
  fetch: (url: string) => Promise<File>;
  /** Set while the panel loads, and after; resolves when it has. */
  ready?: Promise<unknown> | undefined;
  /** Opens a popup for a sign-in, or prepares this tab for it. Calls `refused` if the page's policy blocks that. Call it inside a click. */
  open: (request: ConnectRequest, refused: () => void) => Popup;
  /** The body of `POST /v1/attempts`. */
  ask: (request: ConnectRequest) => AttemptRequest;
  /** Prepares an attempt: the user is about to press this button. */
  expect: (button: Element, event: MouseEvent) => void;
  /** The attempt for a click, prepared or new. It is handed out once. */
  take: (request: ConnectRequest) => Promise<Attempt>;
  /** Stores the running attempt, so that it survives a reload. */
  remember: (id: string, request: ConnectRequest) => void;
  forget: (id: string) => void;
  /** A button for a request whose own is gone. `shown` are the buttons of running flows. */
  replacement: (request: ConnectRequest, shown: (Node | undefined)[], button: Element | undefined) => Element | undefined;
  /** Draws what an element shows beside its button. */
  paint: (view: View) => void;
}

const nothing = (): undefined => undefined;

export const hooks: Hooks = {
  folder: "",
  fetch: (url) => import(/* webpackIgnore: true */ url) as Promise<File>,
  open: openSignIn,
  ask: requestOf,
  expect: nothing,
  take: (request) => begin(requestOf(request), true),
  remember: nothing,
  forget: nothing,
  replacement: nothing,
  paint: nothing,
};
