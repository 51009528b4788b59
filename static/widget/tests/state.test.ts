// @vitest-environment happy-dom
import { describe, expect, it, vi } from "vitest";
import { refresh } from "../src/labels.js";
import { configure } from "../src/session.js";
import { add, launch, main, status, useElements } from "./elements.js";
import { pass, usePage } from "./page.js";

const page = usePage();
useElements();

describe("the state", () => {
  it("is the account's own when the page comes again, and that of a flow while one runs", async () => {
    page.bff.states = { crm: "connected", erp: "disconnected" };
    const [crm, erp] = [add("hitchpost-connect", { connector: "crm" }), add("hitchpost-connect", { connector: "erp" })];
    await pass(500);
    expect([crm.getAttribute("state"), status(crm)]).toEqual(["connected", "Connected"]);
    expect([erp.getAttribute("state"), status(erp)]).toEqual(["idle", ""]);
    main(crm).click();
    await pass(0);
    expect(crm.getAttribute("state")).toBe("busy");
    await launch(page);
    page.bff.end("declined");
    await pass(5000);
    expect(crm.getAttribute("state")).toBe("connected");
  });

  it("is never that of a user who has left, whose configuration comes late", async () => {
    let arrive = (): void => undefined;
    const answered = globalThis.fetch;
    vi.stubGlobal("fetch", async (...asked: Parameters<typeof fetch>) => {
      const answer = await answered(...asked);
      await new Promise<void>((resolve) => { arrive = resolve; });
      return answer;
    });
    page.bff.states = { crm: "connected" };
    const crm = add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    vi.stubGlobal("fetch", answered);
    page.bff.states = { crm: "disconnected" };
    configure({ session: () => "next" });
    refresh();
    await pass(0);
    arrive();
    await pass(500);
    expect([crm.getAttribute("state"), status(crm)]).toEqual(["idle", ""]);
  });
});
