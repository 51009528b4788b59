// @vitest-environment happy-dom
// Attempts that another page of this tab began, and that meet an error when they are resumed.
import { describe, expect, it, vi } from "vitest";
import { kit } from "../src/kit.js";
import { install as resumeWith } from "../src/resume.js";
import { useElements } from "./elements.js";
import { BASE } from "./fake-bff.js";
import { leave, pass, remembered, usePage } from "./page.js";

const page = usePage();
const seen = useElements();

const resume = (): void => { resumeWith(kit); };
const offline = (): never => { throw new TypeError("offline"); };

/** Stores an attempt that another page of this tab launched. */
async function left(connector: string): Promise<void> {
  await page.bff.fetch(`${BASE}/v1/attempts`, { method: "POST", body: JSON.stringify({ connector }) });
  page.bff.last.status = "launched";
  leave(page.bff.last.id, connector);
}

describe("an attempt that was left", () => {
  it("is told to the next page, if its status of yesterday could not be read", async () => {
    await left("crm");
    page.bff.end("connected");
    const [key = ""] = Object.keys(sessionStorage);
    sessionStorage.setItem(key, `crm   ${String(Date.now() - 86_400_000)}`);
    vi.stubGlobal("fetch", offline);
    resume();
    resume();
    await pass(20_000);
    vi.stubGlobal("fetch", page.bff.fetch);
    resume();
    await pass(2000);
    expect([seen.connected.length, remembered()]).toEqual([1, {}]);
  });

  it("hides no error of the flow that goes on with it", async () => {
    await left("crm");
    expect(() => { resumeWith({ ...kit, run: () => { throw new Error("in the flow"); } }); }).toThrow("in the flow");
    sessionStorage.clear();
  });
});
