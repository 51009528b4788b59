// Hooks that the lazy modules replace: panel.js has what a page needs only after its first paint, resume.js what resumed flows need.
import { beginAttempt } from "./bff.js";
import { bodyOf } from "./sign-in.js";
import type { Kit } from "./kit.js";
import { openSignIn, type SignInWindow } from "./popup.js";
import type { Attempt, AttemptRequest, ConnectRequest, ConnectResult } from "./types.js";
import type { State, View } from "./view.js";

/** A script that is imported later, such as panel.js. For connections.js, `element` is the list that needs it. The others ignore it. */
export interface LazyModule {
  /** Runs the module. Called once it is imported. */
  install: (kit: Kit, element: HTMLElement) => unknown;
}

/**
 * What panel.js replaces, and resume.js (`joinFlow`, and `openSignIn` once more). Before that, `openSignIn` opens a popup,
 * `takeAttempt` makes the attempt in the click, `bodyOf` names no delivery, `resolveState` knows no connection, and the other hooks
 * do nothing. Three members are no hooks: `folder`, `importModule` (package.ts has its own) and `installed` serve to import the
 * lazy modules.
 */
export interface Hooks {
  /** URL of the folder that has the lazy modules. Set before the first import. */
  folder: string;
  /** Imports a lazy module. */
  importModule: (url: string) => Promise<LazyModule>;
  /** Whether the panel has been installed. */
  installed?: boolean;
  /**
   * Opens a popup for a sign-in, or prepares this tab for it. Calls `onFormBlocked` if the page's CSP keeps this tab from
   * leaving for the sign-in. Call it inside a click. `existing`: an attempt to go on with, for which it opens nothing. The
   * script's own function ignores it, because only lazy modules go on with one.
   */
  openSignIn: (request: ConnectRequest, onFormBlocked: () => void, existing?: object) => SignInWindow;
  /** The body of `POST /v1/attempts`. */
  bodyOf: (request: ConnectRequest) => AttemptRequest;
  /** Makes an attempt ahead of the click: the pointer or the focus has reached this button, or it is being pressed. */
  prefetch: (button: Element, event: MouseEvent) => void;
  /** The attempt for a click, prefetched or new. Each attempt is handed out once. */
  takeAttempt: (request: ConnectRequest) => Promise<Attempt>;
  /** Stores a running attempt, so that its flow survives a reload. */
  storeAttempt: (id: string, request: ConnectRequest) => void;
  /** Deletes a stored attempt. */
  deleteAttempt: (id: string) => void;
  /**
   * Finds a button that can show the flow of this request, whose own button is gone. `taken`: the buttons that show other
   * flows; `candidate`: a button that a search of the document may miss.
   */
  findReplacement: (request: ConnectRequest, taken: (Node | undefined)[], candidate: Element | undefined) => Element | undefined;
  /** Lets a call of `connect` go on with a resumed flow, and returns its ending; undefined if there is none. */
  joinFlow: (request: ConnectRequest) => Promise<ConnectResult> | undefined;
  /**
   * The state of an element that shows no step, and the key of its button's text; without a key the button offers to connect.
   * Sets `connections` of the view, and corrects its `failure` (failures.ts).
   */
  resolveState: (view: View) => [State, string?];
  /** Draws what an element shows beside its button. */
  drawPanel: (view: View) => void;
}

const nothing = (): undefined => undefined;

export const hooks: Hooks = {
  folder: "",
  importModule: (url) => import(/* webpackIgnore: true */ url) as Promise<LazyModule>,
  openSignIn,
  bodyOf,
  prefetch: nothing,
  takeAttempt: (request) => beginAttempt(bodyOf(request), true),
  storeAttempt: nothing,
  deleteAttempt: nothing,
  findReplacement: nothing,
  joinFlow: nothing,
  resolveState: () => ["idle"],
  drawPanel: nothing,
};
