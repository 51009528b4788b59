// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { add, main, status, useElements } from "./elements.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";

const page = usePage();
const seen = useElements();
const error = { code: "connector_unavailable", title: "This connection is not available", next_step: "Ask support." };

describe("a connector that cannot be connected", () => {
  it("says so when it is pressed, and opens no window", async () => {
    page.bff.states = { crm: "disconnected" };
    page.bff.unavailable = { crm: error };
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(500);
    main(element).click();
    await pass(500);
    expect(FakePopup.opened).toHaveLength(0);
    expect(seen.failed).toMatchObject([{ code: error.code, title: error.title, nextStep: error.next_step }]);
    expect(status(element)).toContain(error.title);
  });

  it("is not asked for when the pointer reaches its button", async () => {
    page.bff.states = { crm: "disconnected" };
    page.bff.unavailable = { crm: error };
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(500);
    main(element).dispatchEvent(new MouseEvent("pointerenter"));
    await pass(500);
    expect(page.bff.asked("POST", "/attempts")).toEqual([]);
  });
});
