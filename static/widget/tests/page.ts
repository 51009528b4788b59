// The page of a test: a new fake BFF, fake popups, a fake clock.
import { afterEach, beforeEach, vi } from "vitest";
import { FakeBff, BASE } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { connect } from "../src/headless.js";
import { loadedConnectors, redraw } from "../src/config.js";
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

// Browsers have `self.origin`; happy-dom does not yet.
if ("location" in globalThis) Object.defineProperty(self, "origin", { configurable: true, value: location.origin });

export interface Page {
  bff: FakeBff;
  /** Whether the page has the focus. */
  focus: boolean;
  /** The headless `connect`, aborted at the end of the test. */
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
    // Each test has an hour of its own, so that no timeout of the previous test is still running.
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
    for (const key in loadedConnectors) loadedConnectors[key] = undefined;
    document.body.replaceChildren();
    configure({ base: BASE, product: "demo", session: () => "tok" });
    redraw(); // As the script's own `configure` does.
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

/** Lets the fake clock run. */
export const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** The ids of the stored attempts, and the request stored with each. */
export const remembered = (): Record<string, string> =>
  Object.fromEntries(Object.entries(sessionStorage).map(([key, value]) => [key.replace("hitchpost demo ", ""), String(value).replace(/ *\d{13}$/, "")]));

/** Stores an attempt, as another page of this tab would. */
export function leave(id: string, asked: string): void {
  sessionStorage.setItem(`hitchpost demo ${id}`, asked);
}

/** Holds back the calls whose method and URL match, in this order with a space between. Returns the function that lets the last one go on. */
export function holdCalls(pattern: RegExp): () => void {
  const answered = globalThis.fetch;
  let goOn = (): void => undefined;
  vi.stubGlobal("fetch", async (url: string, init?: RequestInit) => {
    if (pattern.test(`${init?.method ?? "GET"} ${url}`)) await new Promise<void>((resolve) => { goOn = resolve; });
    return answered(url, init);
  });
  return () => { goOn(); };
}

/** The result or error of a promise; undefined while it is pending. */
export interface Watched {
  outcome: unknown;
}

/** Watches a promise without waiting for it. */
export function watching(promise: Promise<unknown>): Watched {
  const watched: Watched = { outcome: undefined };
  promise.then(
    (result) => (watched.outcome = result),
    (error: unknown) => (watched.outcome = error),
  );
  return watched;
}
