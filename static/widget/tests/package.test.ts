// @vitest-environment happy-dom
import { beforeAll, describe, expect, it, vi } from "vitest";
import { configure, connect } from "../src/package.js";
import { hooks } from "../src/hooks.js";
import { BASE } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { add, main, launch } from "./elements.js";
import { pass, usePage } from "./page.js";

const page = usePage();
const fetched: string[] = [];

const submitted = vi.spyOn(HTMLFormElement.prototype, "submit").mockImplementation(() => undefined);

beforeAll(async () => {
  const { importModule } = hooks;
  hooks.importModule = (url) => {
    fetched.push(url.replace(/.*\//, ""));
    return url.includes("panel") ? importModule(url) : Promise.resolve({ install: () => undefined });
  };
  configure({ base: BASE, product: "demo", session: () => "tok" });
  await vi.waitUntil(() => hooks.installed);
});

describe("the element from npm", () => {
  it("stands on the page, set up by configure alone", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).click();
    await launch(page);
    page.bff.end("connected");
    await pass(5000);
    expect(page.bff.last.status).toBe("connected");
    expect(globalThis.Hitchpost.connect).toBe(connect);
  });

  it("signs in inside this tab where the call, or the browser, asks for it", async () => {
    connect("crm", { delivery: "return" }).catch(() => undefined);
    await pass(0);
    expect(FakePopup.opened).toEqual([]);
    expect(submitted).toHaveBeenCalled();
    expect(page.bff.asked("POST", "/attempts")[0]?.body).toMatchObject({ delivery: "return", product: "demo" });
    page.bff.end("connected");
    await pass(20_000);
  });

  it("does so in a browser inside an app, which opens no windows: the BFF knows", async () => {
    page.bff.delivery = "return";
    configure({ base: BASE });
    await pass(0);
    connect("crm").catch(() => undefined);
    await pass(0);
    expect(FakePopup.opened).toEqual([]);
    expect(page.bff.asked("POST", "/attempts")[0]?.body).toMatchObject({ delivery: "return" });
    page.bff.end("connected");
    await pass(20_000);
  });

  it.each(["not_signed_in", "invalid_request"])("has %s explained by a file that is fetched only then", async (code) => {
    fetched.length = 0;
    await pass(0);
    document.dispatchEvent(new CustomEvent("hitchpost:failed", { detail: { code, title: "" }, bubbles: true }));
    document.dispatchEvent(new CustomEvent("hitchpost:failed", { detail: { code: "declined", title: "" }, bubbles: true }));
    expect(fetched).toEqual(["diagnose.js"]);
  });
});
