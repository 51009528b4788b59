// @vitest-environment happy-dom
// However a flow ends, it leaves no listener, timer or stored value on the page.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { problem } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";

const page = usePage();
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with its target below, and put back at the end
const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
let listening: [EventTarget, string, unknown][] = [];

beforeEach(() => {
  listening = [];
  EventTarget.prototype.addEventListener = function (this: EventTarget, type: string, listener, options) {
    listening.push([this, type, listener]);
    add.call(this, type, listener, options);
  };
  EventTarget.prototype.removeEventListener = function (this: EventTarget, type: string, listener, options) {
    listening = listening.filter((other) => other[0] !== this || other[1] !== type || other[2] !== listener);
    remove.call(this, type, listener, options);
  };
});

afterEach(() => {
  Object.assign(EventTarget.prototype, { addEventListener: add, removeEventListener: remove });
});

/** A launched flow. */
async function begin(signal?: AbortSignal): Promise<{ outcome: unknown }> {
  const flow = page.connect("crm", { signal });
  await pass(0);
  FakePopup.opened.at(-1)?.ready();
  await pass(0);
  return flow;
}

const signedOut = (): Response => problem(401, "not_signed_in", "Out");
const over = new AbortController();

describe("A30, A31 nothing stays behind, in the page or in its storage", () => {
  it.each<[string, () => Promise<unknown>]>([
    ["connected", async () => { await begin(); page.bff.end("connected"); }],
    ["declined", async () => { await begin(); page.bff.end("declined"); }],
    ["expired", async () => { await begin(); page.bff.end("expired"); }],
    ["cancelled", async () => { await begin(over.signal); over.abort(); }],
    ["the window closed", async () => { await begin(); FakePopup.last.closed = true; await pass(3000); page.bff.end("connected"); }],
    ["a blocked popup", () => { FakePopup.refuse = true; return begin(); }],
    ["no network at the click", () => { page.bff.troubles.push(...Array<() => Response>(50).fill(() => { throw new TypeError(); })); return begin(); }],
    ["nobody signed in", () => { page.bff.troubles.push(signedOut, signedOut); return begin(); }],
  ])("after: %s", async (_, play) => {
    const before = document.documentElement.outerHTML;
    await play();
    await pass(20_000);
    expect(listening.filter(([, type]) => type !== "securitypolicyviolation")).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
    expect(FakePopup.opened.every(({ closed }) => closed)).toBe(true);
    expect(sessionStorage.length).toBe(0);
    expect(document.documentElement.outerHTML).toBe(before);
  });
});
