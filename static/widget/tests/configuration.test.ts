// @vitest-environment happy-dom
// Which answer about the product's connectors counts: that of the user who is signed in, the newest, in each language.
import { describe, expect, it, vi } from "vitest";
import { load, offerOf, refresh } from "../src/labels.js";
import { api } from "../src/start.js";
import { pass, usePage } from "./page.js";
import { problem } from "./problem.js";

usePage();

const crm = { connector: "crm" };
const config = (name: string): Response => Response.json({ connectors: [{ key: "crm", name }], words: {} });

/** Holds all calls back, and gives each answer when the test says so. */
function heldCalls(): ((answer: Response) => void)[] {
  const calls: ((answer: Response) => void)[] = [];
  vi.stubGlobal("fetch", () => new Promise<Response>((resolve) => calls.push(resolve)));
  return calls;
}

/** The newest call is answered first; then the earlier one. */
async function answerInReverse(calls: ((answer: Response) => void)[]): Promise<void> {
  void load(crm);
  await pass(0);
  expect(calls).toHaveLength(2);
  calls[1]?.(config("new"));
  await pass(0);
  calls[0]?.(config("old"));
  await pass(0);
}

describe("a late answer", () => {
  it.each([
    ["for the last user", () => { api.configure({ session: () => "next" }); }],
    ["from before a refresh", refresh],
  ])("%s changes nothing", async (_, change) => {
    const calls = heldCalls();
    void load(crm);
    await pass(0);
    change();
    await answerInReverse(calls);
    expect(offerOf(crm)?.name).toBe("new");
  });

  it("that is a failure does not have the newer call repeated", async () => {
    const calls = heldCalls();
    void load(crm);
    await pass(0);
    refresh();
    void load(crm);
    await pass(0);
    calls[0]?.(problem(403, "not_allowed", "No"));
    await pass(0);
    const before = calls.length;
    void load(crm);
    await pass(0);
    expect(calls).toHaveLength(before);
  });
});

it("holds the texts of each language apart", async () => {
  vi.stubGlobal("fetch", (url: string) => Promise.resolve(config(url.endsWith("=de") ? "Kunden" : "Customers")));
  await load({ ...crm, locale: "en" });
  await load({ ...crm, locale: "de" });
  expect([offerOf({ ...crm, locale: "en" })?.name, offerOf({ ...crm, locale: "de" })?.name]).toEqual(["Customers", "Kunden"]);
});
