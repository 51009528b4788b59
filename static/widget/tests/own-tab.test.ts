// @vitest-environment happy-dom
// A sign-in that takes this tab, on pages whose headers or markup make that hard.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { add, main, names, pick, useElements } from "./elements.js";
import { BASE, BFF_ORIGIN } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage, watching } from "./page.js";
import { openSignIn } from "../src/popup.js";
import { bffOrigin, configure } from "../src/session.js";
import { api } from "../src/start.js";

const page = usePage();
const seen = useElements();
let lines: string[] = [];
let forms: { action: string; target: string; referrer: string | undefined }[] = [];

/** Reports that the page's CSP has blocked the form, as the browser does. */
function refuse(): void {
  // The CSP may block something else at the same moment.
  const other = { blockedURI: "https://elsewhere.example/x.png", effectiveDirective: "img-src" };
  window.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), other));
  // One event for each policy that blocks it.
  for (let policy = 0; policy < 2; policy++) window.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), { blockedURI: `${BFF_ORIGIN}/prefix/connect/launch`, effectiveDirective: "form-action" }));
}

/** A button that signs in inside this tab. `submitted` is called with each form. */
function button(submitted: (form: HTMLFormElement) => void = () => undefined): HTMLElement {
  vi.spyOn(HTMLFormElement.prototype, "submit").mockImplementation(function (this: HTMLFormElement) {
    const referrer = document.querySelector<HTMLMetaElement>("meta[name=referrer]")?.content;
    forms.push({ action: this.action, target: this.target, referrer });
    submitted(this);
  });
  return add("hitchpost-connect", { connector: "crm", delivery: "return" });
}

const launches = (): typeof forms => forms.filter(({ action }) => action.endsWith("/connect/launch"));

beforeEach(() => {
  forms = [];
  lines = [];
  vi.spyOn(console, "error").mockImplementation((...said: unknown[]) => void lines.push(said.join(" ")));
});

afterEach(() => {
  vi.restoreAllMocks();
  for (const each of document.querySelectorAll("meta[name=referrer], base")) each.remove();
  configure({ base: BASE });
});

describe("a page that hides its origin", () => {
  it("shows it to the launch alone, and is told which header to set", async () => {
    page.bff.hidden = "set Referrer-Policy";
    main(button()).click();
    await pass(0);
    expect(launches()).toMatchObject([{ referrer: "origin" }]);
    expect(lines).toEqual(["Hitchpost: set Referrer-Policy"]);
    page.bff.end("connected");
    await pass(10_000);
  });

  it("is none where the BFF has seen it", async () => {
    main(button()).click();
    await pass(0);
    expect(launches()).toMatchObject([{ referrer: undefined }]);
    page.bff.end("connected");
    await pass(10_000);
  });
});

describe("a sign-in that has left this tab", () => {
  it("is the page's default, also where a call names no delivery", async () => {
    button().remove();
    configure({ base: BASE, delivery: "return" });
    const flow = watching(api.connect("crm", { delivery: undefined }));
    await pass(0);
    expect([launches().length, FakePopup.opened.length]).toEqual([1, 0]);
    page.bff.end("connected");
    await pass(10_000);
    expect(flow.outcome).toMatchObject({ status: "connected" });
  });

  it("stays in it, wherever the page's own forms and links go (`<base target>`)", async () => {
    main(button()).click();
    await pass(0);
    expect(launches()).toMatchObject([{ target: "_self" }]);
    page.bff.end("connected");
    await pass(10_000);
  });

  it("is not interrupted while its attempt takes long to begin", async () => {
    page.focus = true;
    const answered = globalThis.fetch;
    vi.stubGlobal("fetch", async (...request: Parameters<typeof fetch>) => {
      if (request[1]?.method === "POST") await new Promise((resolve) => setTimeout(resolve, 6000));
      return answered(...request);
    });
    main(button()).click();
    await pass(5500);
    expect([launches().length, seen.steps]).toEqual([0, ["opening"]]);
    await pass(1000);
    expect(launches()).toHaveLength(1);
    page.bff.end("connected");
    await pass(20_000);
    expect(seen.connected).toHaveLength(1);
  });

  it("leaves a way on when the user comes back by Back", async () => {
    page.focus = true;
    const element = button();
    main(element).click();
    await pass(0);
    page.bff.last.status = "launched";
    dispatchEvent(new Event("pageshow"));
    await pass(5000);
    expect(seen.steps.at(-1)).toBe("interrupted");
    expect(names(element)).toEqual(["Open again", "Continue in this tab", "Cancel"]);
    pick(element, "Continue in this tab");
    await pass(500);
    expect(launches()).toHaveLength(2);
    page.bff.end("connected");
    await pass(10_000);
    expect(seen.connected).toHaveLength(1);
  });
});

describe("a frame with `srcdoc`", () => {
  it("sends its parent's origin, because its own address has none", () => {
    const { origin } = self;
    Object.defineProperty(self, "origin", { configurable: true, value: "https://host.example" });
    openSignIn({ connector: "crm" }).cleanUp();
    Object.defineProperty(self, "origin", { configurable: true, value: origin });
    expect(new URL(FakePopup.last.url).searchParams.get("origin")).toBe("https://host.example");
  });

  it("finds a BFF at a path of its parent's", () => {
    document.head.append(Object.assign(document.createElement("base"), { href: "https://parent.example/app/" }));
    configure({ base: "/hitchpost" });
    expect(bffOrigin()).toBe("https://parent.example");
  });
});

describe("what a page's own elements are called", () => {
  it.each(["body", "head", "connect", "hidden", "forms", "baseURI"])("is its own affair: %s", async (name) => {
    const form = add("form", { name });
    main(button()).click();
    await pass(0);
    expect(launches()).toHaveLength(1);
    page.bff.end("connected");
    await pass(10_000);
    expect(seen.connected).toHaveLength(1);
    form.remove();
  });
});

// This test is the last one: after it the widget knows that this page's CSP blocks forms.
describe("a page that lets no form go elsewhere", () => {
  it("takes a window when its button is pressed too soon to have found out", async () => {
    main(button(({ action }) => { if (action.endsWith("/connect/launch")) refuse(); })).click();
    await pass(100);
    expect([launches().length, FakePopup.opened.length]).toEqual([1, 1]);
    expect(lines).toEqual([`Hitchpost: add ${BFF_ORIGIN} to form-action of this page's CSP`]);
    FakePopup.last.ready();
    await pass(0);
    page.bff.end("connected");
    await pass(10_000);
    expect(seen.connected).toHaveLength(1);
  });
});
