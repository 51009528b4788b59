// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
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
});
