// @vitest-environment happy-dom
// A page in a frame. A sign-in cannot take the frame: the BFF's pages refuse to be framed.
import { expect, it, vi } from "vitest";
import { add, main, names, pick, status, useElements } from "./elements.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";

Object.defineProperty(globalThis, "top", { configurable: true, value: {} });
const page = usePage();
const seen = useElements();

it("is not asked whether to continue in it", async () => {
  FakePopup.refuse = true;
  const element = add("hitchpost-connect", { connector: "crm" });
  main(element).click();
  await pass(500);
  expect([status(element), names(element)]).toEqual(["Popup blocked", ["Open again", "Cancel"]]);
  pick(element, "Cancel");
  await pass(0);
});

it.each<[string, Record<string, string>, string | undefined]>([
  ["the element's", { delivery: "return" }, undefined],
  ["the BFF's", {}, "return"],
])("opens a popup although %s delivery is this tab", async (_, attributes, delivery) => {
  const submit = vi.spyOn(HTMLFormElement.prototype, "submit").mockImplementation(() => undefined);
  page.bff.delivery = delivery;
  const element = add("hitchpost-connect", { connector: "crm", ...attributes });
  await pass(500);
  main(element).click();
  await pass(0);
  FakePopup.last.ready();
  await pass(0);
  expect(submit).not.toHaveBeenCalled();
  expect(page.bff.asked("POST", "/attempts").at(-1)?.body).not.toHaveProperty("delivery");
  page.bff.end("connected");
  await pass(14_000);
  expect(seen.connected).toHaveLength(1);
});

it("shows every choice where a step is shown without a sign-in, as in the Studio's preview", async () => {
  const element = add("hitchpost-connect", { connector: "crm" });
  await pass(500);
  element.dispatchEvent(new CustomEvent("hitchpost:step", { detail: { step: "popup_blocked" } }));
  expect(names(element)).toEqual(["Open again", "Continue in this tab", "Cancel"]);
});
