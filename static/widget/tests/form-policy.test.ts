// @vitest-environment happy-dom
// The widget finds out before any press whether the page's CSP lets a form be posted to the BFF.
import { afterEach, expect, it, vi } from "vitest";
import { add, launch, main, useElements } from "./elements.js";
import { BFF_ORIGIN } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";

const page = usePage();
const seen = useElements();

afterEach(() => { vi.restoreAllMocks(); });

it("a page that lets no form go elsewhere takes a window at the first press, and is told what to add, once", async () => {
  const told = vi.spyOn(console, "error").mockReturnValue();
  const submitted: [string, string][] = [];
  vi.spyOn(HTMLFormElement.prototype, "submit").mockImplementation(function (this: HTMLFormElement) {
    submitted.push([this.action, this.target]);
    const violation = { blockedURI: BFF_ORIGIN, effectiveDirective: "form-action" };
    setTimeout(() => window.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), violation)));
  });
  const element = add("hitchpost-connect", { connector: "crm", delivery: "return" });
  await pass(2000);
  expect(submitted).toEqual([[`${BFF_ORIGIN}/prefix/health/live`, "hitchpost-form"]]);
  expect(document.querySelectorAll("form, iframe")).toHaveLength(0);
  main(element).click();
  expect(FakePopup.opened).toHaveLength(1);
  await launch(page);
  page.bff.end("connected");
  await pass(5000);
  expect(seen.connected).toHaveLength(1);
  expect(submitted).toHaveLength(1);
  expect(told.mock.calls).toEqual([["Hitchpost:", `add ${BFF_ORIGIN} to form-action of this page's CSP`]]);
});
