// The page of a test: a fresh BFF, fake windows, a clock that the test moves.
import { afterEach, beforeEach, vi } from "vitest";
import { FakeBff, BASE } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { connect } from "../src/headless.js";
import { offers } from "../src/config.js";
import type { ConnectOptions } from "../src/types.js";
import { configure } from "../src/session.js";

// Browsers reflect `part` as an attribute (CSS Shadow Parts); happy-dom does not yet.
if ("Element" in globalThis) {
  Object.defineProperty(Element.prototype, "part", {
    configurable: true,
    set(this: Element, value: string) {
      this.setAttribute("part", value);
    },
  });
}

// So does every browser tell; happy-dom does not yet.
if ("location" in globalThis) Object.defineProperty(self, "origin", { configurable: true, value: location.origin });

export interface Page {
  bff: FakeBff;
  /** Whether the user is on the page. */
  focus: boolean;
  /** Headless connect, given up when the test is over. */
  connect: (connector: string, options?: ConnectOptions) => Watched;
}

let hour = 0;

/** Sets up a page for each test. */
export function usePage(): Page {
  let over = new AbortController();
  const page: Page = {
    bff: new FakeBff(),
    focus: false,
    connect: (connector, options) => watching(connect(connector, { signal: over.signal, ...options })),
  };
  beforeEach(() => {
    // Each test at an hour of its own: what the last one did was long ago.
    vi.useFakeTimers({ now: Date.now() + 3_600_000 * ++hour });
    page.bff = new FakeBff();
    page.focus = false;
    over = new AbortController();
    FakePopup.opened = [];
    FakePopup.refuse = false;
    vi.stubGlobal("fetch", page.bff.fetch);
    vi.stubGlobal("open", FakePopup.open);
    document.hasFocus = () => page.focus;
    sessionStorage.clear();
    for (const key in offers) offers[key] = undefined;
    document.body.replaceChildren();
    configure({ base: BASE, product: "demo", session: () => "tok" });
  });
  afterEach(async () => {
    page.bff.troubles.length = 0;
    over.abort();
    await vi.advanceTimersByTimeAsync(60_000);
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  return page;
}

/** Lets the clock run. */
export const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** The attempts that this tab remembers, and what was asked for with each. */
export const remembered = (): Record<string, string> =>
  Object.fromEntries(Object.entries(sessionStorage).map(([key, value]) => [key.replace("hitchpost demo ", ""), String(value)]));

/** This tab remembers an attempt that another page began. */
export function leave(id: string, asked: string): void {
  sessionStorage.setItem(`hitchpost demo ${id}`, asked);
}

/** What the promise came to so far. */
export interface Watched {
  outcome: unknown;
}

/** Watches a promise without waiting for it: `outcome` is undefined as long as it is open. */
export function watching(promise: Promise<unknown>): Watched {
  const watched: Watched = { outcome: undefined };
  promise.then(
    (result) => (watched.outcome = result),
    (error: unknown) => (watched.outcome = error),
  );
  return watched;
}
