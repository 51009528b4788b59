// @vitest-environment happy-dom
// The texts of an element when none could be loaded, and when the error was found by the widget and not by the BFF.
import { beforeEach, describe, expect, it } from "vitest";
import { add, launch, main, names, status, useElements } from "./elements.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";

const page = usePage();
useElements();

const offline = (): never => {
  throw new TypeError("offline");
};

describe("A30 a blocked popup, without any words of the BFF's", () => {
  beforeEach(() => {
    page.bff.configured = false;
  });

  it("the choices in trouble have their English names", async () => {
    FakePopup.refuse = true;
    const element = add("hitchpost-connect", { connector: "crm", locale: "x-none" });
    main(element).click();
    await pass(0);
    expect(names(element)).toEqual(["Open again", "Continue in this tab", "Cancel"]);
  });
});

describe("an error that only the browser knows", () => {
  it("is shown in the product's words", async () => {
    page.bff.words = { error_network_title: "Keine Verbindung", error_network_next_step: "Netz?" };
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    page.bff.troubles.push(...Array<() => Response>(50).fill(offline));
    main(element).click();
    await pass(16_000);
    expect(status(element).trim()).toBe("Keine Verbindung\nNetz?");
  });
});

describe("a locale attribute that is empty", () => {
  it("names no locale", async () => {
    const element = add("hitchpost-connect", { connector: "crm", locale: "" });
    main(element).click();
    await launch(page);
    expect(page.bff.asked("POST", "/attempts")[0]?.body?.locale).toBe("");
    page.bff.end("declined");
    await pass(1000);
  });
});
